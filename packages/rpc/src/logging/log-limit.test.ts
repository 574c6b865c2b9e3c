import { expect, test } from 'vitest';
import { createLogLimit } from './log-limit.ts';
import { createLogger, type Logger } from './logger.ts';

/** A log whose seconds the test ends. */
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

/** Fields that take about 9 kB. */
const pages = new Array(9).fill('x'.repeat(1000));
/** More kinds than are counted separately. */
const storms = Array.from({ length: 90 }, (_, index) => String.fromCharCode(0x4e00 + index));

test('a storm of failures is ten lines a second, and one with the number of suppressed lines', () => {
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

test('after the storm nothing is logged, and no timer runs', () => {
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
])('a storm does not hide a line of %s', (_what, write) => {
  const { log, lines } = limitedLog();
  writeTimes(11, () => log.error(failing, 'call'));
  write(log);
  expect(lines).toHaveLength(11);
});

test('rejected calls are limited, too, whatever logs them', () => {
  const { log, lines, passSecond } = limitedLog();
  const rejection = { method: 'a.B/C', code: 'RESOURCE_EXHAUSTED' };
  writeTimes(50, () => log.child({ request_id: crypto.randomUUID() }).info(rejection, 'call'));
  passSecond();
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toMatchObject({ level: 'info', suppressed: 40 });
  expect(lines.at(-1)).not.toHaveProperty('request_id');
});

test('calls that end OK and other lines without a failure have a line each', () => {
  const { log, lines } = limitedLog();
  writeTimes(100, () => log.info({ method: 'a.B/C', code: 'OK' }, 'call'));
  writeTimes(100, () => log.info('serving'));
  expect(lines).toHaveLength(200);
});

test('a storm of lines that differ only in numbers and ids is ten lines', () => {
  const { log, lines } = limitedLog();
  writeTimes(50, () => log.warn(`order ${crypto.randomUUID()} waited ${Math.random()} s`));
  expect(lines).toHaveLength(10);
});

test('a storm of invented methods, codes, messages and errors is limited in lines and memory', () => {
  const { log, lines, passSecond } = limitedLog();
  const word = () =>
    [...crypto.randomUUID()].map((each) => String.fromCharCode(97 + (each.charCodeAt(0) % 26))).join('');
  writeTimes(5000, () => {
    log.info({ method: word(), code: 'UNIMPLEMENTED' }, 'call');
    log.error({ method: 'a.B/C', code: word() }, 'call');
    log.warn(word());
    log.error(Object.assign(new Error('gone'), { name: word() }));
  });
  expect(lines.length).toBeLessThan(200);
  passSecond();
  const summaries = lines.filter(({ msg }) => msg === 'lines suppressed');
  expect(summaries.length).toBeLessThan(5);
  const suppressed = summaries.reduce((sum, each) => sum + Number(each.suppressed), 0);
  expect(suppressed + lines.length - summaries.length).toBe(20_000);
});

test.each<[string, number, (log: Logger, index: number) => void]>([
  ['warnings', 300, (log, index) => log.warn({ text: 'x'.repeat(9000) }, storms[index % storms.length])],
  [
    'rejected calls',
    300,
    (log, index) => log.info({ code: storms[index % storms.length], list: pages }, 'call'),
  ],
  ['calls that end OK', 4200, (log) => log.info({ code: 'OK', list: pages }, 'call')],
  ['lines without a code', 4200, (log) => log.info({ list: pages }, 'told')],
])('%s take up to %i KiB a second, and are counted beyond it', (_what, limitKib, write) => {
  const { log, lines, passSecond } = limitedLog();
  const times = 3000;
  let index = 0;
  writeTimes(times, () => write(log, index++));
  const written = lines.length;
  const writtenBytes = lines.reduce((sum, line) => sum + JSON.stringify(line).length, 0);
  expect(writtenBytes / 1024).toBeLessThan(limitKib);
  passSecond();
  const suppressed = lines.slice(written).reduce((sum, each) => sum + Number(each.suppressed), 0);
  expect(written + suppressed).toBe(times);
  // The next second has the full allowance again.
  write(log, 0);
  expect(lines.at(-1)).not.toHaveProperty('suppressed');
});

test("a storm of rejected calls does not hide the service's own warnings", () => {
  const { log, lines } = limitedLog();
  let index = 0;
  writeTimes(2000, () => log.info({ code: storms[index++ % storms.length], list: pages }, 'call'));
  log.warn('disk is slow');
  expect(lines.at(-1)).toMatchObject({ msg: 'disk is slow' });
});

test('errors are limited alone, in an object, or without a message', () => {
  const { log, lines } = limitedLog();
  writeTimes(20, () => log.error(new Error('gone')));
  writeTimes(20, () => log.error({ err: new Error('gone') }, 'lost'));
  writeTimes(20, () => log.warn({ attempt: 1 }));
  expect(lines).toHaveLength(30);
});
