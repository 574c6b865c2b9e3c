// An app that can be started, stopped and broken: what run-until-signal does with it is for its test to see.
import { runUntilSignal } from '../server/run-until-signal.ts';

const [way = ''] = process.argv.slice(2);
const say = (word: string) => process.stdout.write(`${word}\n`);

await runUntilSignal(async () => {
  if (way === 'cannot start') throw new Error('port 1 is taken');
  if (way === 'starts for ever') {
    say('starting');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  return {
    close: async () => {
      say('closing');
      if (way === 'cannot close') throw new Error('stuck');
      if (way === 'closes for ever') await new Promise(() => {});
    },
  };
});
// Something that runs, as a server would.
setInterval(() => {}, 60_000);
if (way === 'throws')
  setImmediate(() => {
    throw new Error('nobody caught it');
  });
if (way === 'rejects') Promise.reject(new Error('nobody caught it'));
say('started');
