import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { prettyFormat } from './log-pretty.ts';
import { createLogger } from './logger.ts';

const format = prettyFormat() ?? (() => '');
const controls = '\u001b[2Jforged\r\n\u0008\u007f\u009b31m\u202e\u{e0001}';

test('a line with control characters in its values is one line that shows them', () => {
  let text = '';
  const log = createLogger({ service: 'test', level: 'info' }, { write: (line) => (text += format(line)) });
  log.info({ field: controls, [controls]: 1, deep: { [controls]: [controls] } }, controls);
  const plain = stripVTControlCharacters(text);
  expect(plain).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*\n$/u);
  expect(plain).toContain('\\u{1b}[2Jforged\\u{d}\\u{a}');
  expect(text).not.toContain('\u001b[2J');
});

test('only a stack keeps its line breaks', () => {
  let text = '';
  const log = createLogger({ service: 'test', level: 'info' }, { write: (line) => (text += format(line)) });
  log.error({ err: new Error(`gone${controls}`) }, 'told');
  expect(stripVTControlCharacters(text).split('\n').length).toBeGreaterThan(3);
  expect(text).not.toContain('\u001b[2J');
});
