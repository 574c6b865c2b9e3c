// An app for the test of run-until-signal: `node app-program.ts BEHAVIOUR [FILE]`.
import { openSync, write } from 'node:fs';
import { runUntilSignal } from '../../server/run-until-signal.ts';

const [behaviour = '', file = ''] = process.argv.slice(2);
const print = (word: string) => process.stdout.write(`${word}\n`);

await runUntilSignal(async () => {
  if (behaviour === 'cannot start') throw new Error('port 1 is taken');
  if (behaviour === 'cannot start with a secret')
    throw new Error('no answer from postgres://user:canary@host/db');
  if (behaviour === 'never starts') {
    print('starting');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  return {
    closeTimeoutMs: behaviour === 'closes too slowly' ? 50 : 60_000,
    close: async () => {
      print('closing');
      if (behaviour === 'cannot close') throw new Error('stuck');
      if (behaviour.endsWith('never closes') || behaviour === 'closes too slowly')
        await new Promise(() => {});
    },
  };
});
// Keeps the process running, like a server.
setInterval(() => {}, 60_000);
if (behaviour === 'throws')
  setImmediate(() => {
    throw new Error('not caught');
  });
if (behaviour === 'rejects') Promise.reject(new Error('not caught'));
if (behaviour === 'throws what cannot be printed')
  setImmediate(() => {
    throw Object.create(null, {
      toString: {
        get: () => {
          throw new Error('a trap');
        },
      },
    });
  });
if (behaviour === 'loses its stderr') setInterval(() => Promise.reject(new Error('not caught')), 10);
// A stuck thread: it writes to a FIFO without a reader.
if (behaviour.startsWith('has a stuck thread'))
  write(openSync(file, 'r+'), 'x'.repeat(1024 * 1024), () => {});
print('started');
