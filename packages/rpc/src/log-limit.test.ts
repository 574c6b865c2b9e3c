import { expect, test } from 'vitest';
import { createLogger, type Logger } from './log.ts';
import { createLogLimit } from './log-limit.ts';

/** A log whose seconds pass when they are told to. */
function limitedLog() {
  const lines: Record<string, unknown>[] = [];
  const closing: (() => void)[] = [];
  const log = createLogger(
    { service: 'test', level: 'info' },
    { write: (line) => lines.push(JSON.parse(line)) },
    createLogLimit((close) => closing.push(close)),
  );
  const passSecond = () => {
    for (const close of closing.splice(0)) close();
  };
  return { log, lines, passSecond, windows: closing };
}

const failing = { method: 'a.B/C', code: 'INTERNAL' };
const writeTimes = (count: number, write: () => void) => {
  for (let index = 0; index < count; index++) write();
};

test('ensure a storm of failures is ten lines a second, and one that says how many more there were', () => {
  const { log, lines, passSecond } = limitedLog();
  writeTimes(1000, () => log.error({ ...failing, duration_ms: Math.random() }, 'call'));
  expect(lines).toHaveLength(10);
  passSecond();
  expect(lines.at(-1)).toMatchObject({
    level: 'error',
    msg: 'lines suppressed',
    of: 'call',
    method: 'a.B/C',
    code: 'INTERNAL',
    suppressed: 990,
  });
  writeTimes(11, () => log.error(failing, 'call'));
  passSecond();
  expect(lines).toHaveLength(10 + 1 + 10 + 1);
  expect(lines.at(-1)).toMatchObject({ suppressed: 1 });
});

test('ensure nothing more is said, and no clock runs, once the storm is over', () => {
  const { log, lines, passSecond, windows } = limitedLog();
  writeTimes(10, () => log.warn('disk is slow'));
  passSecond();
  expect(lines).toHaveLength(10);
  expect(windows).toEqual([]);
});

test.each<[string, (log: Logger) => void]>([
  ['another method', (log) => log.error({ ...failing, method: 'a.B/D' }, 'call')],
  ['another code', (log) => log.error({ ...failing, code: 'UNKNOWN' }, 'call')],
  ['another message', (log) => log.error(failing, 'internal error')],
  ['another level', (log) => log.info(failing, 'call')],
])('ensure a storm does not hide a line of %s', (_what, write) => {
  const { log, lines } = limitedLog();
  writeTimes(11, () => log.error(failing, 'call'));
  write(log);
  expect(lines).toHaveLength(11);
});

test('ensure refusals, which are everyday answers, are bounded too, by whichever call they are logged', () => {
  const { log, lines, passSecond } = limitedLog();
  const refusal = { method: 'a.B/C', code: 'RESOURCE_EXHAUSTED' };
  writeTimes(50, () => log.child({ request_id: crypto.randomUUID() }).info(refusal, 'call'));
  passSecond();
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toMatchObject({ level: 'info', suppressed: 40 });
  expect(lines.at(-1)).not.toHaveProperty('request_id');
});

test('ensure calls that end well have a line each, and whatever else is told without a failure', () => {
  const { log, lines } = limitedLog();
  writeTimes(100, () => log.info({ method: 'a.B/C', code: 'OK' }, 'call'));
  writeTimes(100, () => log.info('serving'));
  expect(lines).toHaveLength(200);
});

test('ensure errors are bounded that come alone, in an object, or with no message', () => {
  const { log, lines } = limitedLog();
  writeTimes(20, () => log.error(new Error('gone')));
  writeTimes(20, () => log.error({ err: new Error('gone') }, 'lost'));
  writeTimes(20, () => log.warn({ attempt: 1 }));
  expect(lines).toHaveLength(30);
});
