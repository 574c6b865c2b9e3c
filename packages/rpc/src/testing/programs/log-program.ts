// A service that logs: what a stalled or lost stdout does to it is for tests to see. It ends as services do.
import { createLogger } from '../../logging/logger.ts';
import { runUntilSignal } from '../../server/run-until-signal.ts';

const [way = ''] = process.argv.slice(2);
const log = createLogger({ service: 'test', level: 'info' });
const say = (text: string) => process.stderr.write(`${text}\n`);

await runUntilSignal(async () => ({
  closeTimeoutMs: 500,
  close: async () => {
    log.info('closing');
    if (way === 'closes for ever') await new Promise(() => {});
  },
}));
if (way === 'floods') {
  // More than a pipe and the buffer take, in turns that let the event loop go on.
  const page = new Array(10).fill('x'.repeat(1000));
  setInterval(() => {
    for (let index = 0; index < 100; index++) log.info({ page }, 'told');
  }, 1);
  let [seconds, saidMs] = [0, performance.now()];
  setInterval(() => {
    if (performance.now() - saidMs < 1000) return;
    saidMs = performance.now();
    say(`alive ${++seconds}`);
  }, 10);
} else {
  setInterval(() => {}, 60_000);
  log.info('told');
}
if (way === 'exits at once') {
  log.info('last words');
  process.exit(3);
}
