// An app that can be started, stopped and broken: what run-until-signal does with it is for its test to see.
import { openSync, write } from 'node:fs';
import { runUntilSignal } from '../../server/run-until-signal.ts';

const [way = '', file = ''] = process.argv.slice(2);
const say = (word: string) => process.stdout.write(`${word}\n`);

await runUntilSignal(async () => {
  if (way === 'cannot start') throw new Error('port 1 is taken');
  if (way === 'cannot start with a secret') throw new Error('no answer from postgres://user:canary@host/db');
  if (way === 'starts for ever') {
    say('starting');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  return {
    closeTimeoutMs: way === 'closes too slowly' ? 50 : 60_000,
    close: async () => {
      say('closing');
      if (way === 'cannot close') throw new Error('stuck');
      if (way.endsWith('closes for ever') || way === 'closes too slowly') await new Promise(() => {});
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
if (way === 'throws what cannot be printed')
  setImmediate(() => {
    throw Object.create(null, {
      toString: {
        get: () => {
          throw new Error('a trap');
        },
      },
    });
  });
if (way === 'loses its stderr') setInterval(() => Promise.reject(new Error('nobody caught it')), 10);
// A thread that never comes back: it writes to a FIFO that nothing reads.
if (way.startsWith('has a stuck thread')) write(openSync(file, 'r+'), 'x'.repeat(1024 * 1024), () => {});
say('started');
