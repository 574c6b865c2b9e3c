// A service that logs, for tests of a stalled or closed stdout and of the end of a process: `node log-program.ts BEHAVIOUR`.
import { createLogger } from '../../logging/logger.ts';
import { runUntilSignal } from '../../server/run-until-signal.ts';

const [behaviour = ''] = process.argv.slice(2);
const log = createLogger({ service: 'test', level: 'info' });
const print = (text: string) => process.stderr.write(`${text}\n`);

await runUntilSignal(async () => ({
  closeTimeoutMs: 500,
  close: async () => {
    log.info('closing');
    if (behaviour === 'never closes') await new Promise(() => {});
  },
}));
if (behaviour === 'floods') {
  // More than the pipe and the buffer hold, in batches that do not block the event loop.
  const page = new Array(10).fill('x'.repeat(1000));
  setInterval(() => {
    for (let index = 0; index < 100; index++) log.info({ page }, 'told');
  }, 1);
  let [seconds, saidMs] = [0, performance.now()];
  setInterval(() => {
    if (performance.now() - saidMs < 1000) return;
    saidMs = performance.now();
    print(`alive ${++seconds}`);
  }, 10);
} else if (behaviour === 'ends by itself') {
  process.once('beforeExit', () => print('ending'));
  log.info('last words');
} else {
  setInterval(() => {}, 60_000);
  log.info('told');
}
switch (behaviour) {
  case 'exits at once':
    log.info('last words');
    process.exit(3);
    break;
  case 'exits behind a full pipe':
    log.info('last words');
    print('ending');
    process.exit(3);
    break;
  case 'throws in a bare process':
    process.removeAllListeners('uncaughtException');
    log.info('last words');
    throw new Error('not caught');
  case 'throws':
    log.info('last words');
    throw new Error('not caught');
  case 'rejects':
    log.info('last words');
    Promise.reject(new Error('not caught'));
    break;
  case 'gets two signals':
    process.kill(process.pid, 'SIGTERM');
    process.kill(process.pid, 'SIGINT');
    break;
  case 'is killed after an error':
    log.error('last words');
    setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    break;
}
