import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test('a shell reads a quoted text as one word', () => {
  const texts = [
    'plain/path-1.txt',
    'a b',
    "it's",
    '$HOME "x" `id` \\',
    '',
    '~',
    'é#%',
    '{"sku": "SAT-0001"}',
  ];
  const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${texts.map(shellWord).join(' ')}`], {
    encoding: 'utf8',
  });
  expect(printed.split('\n').slice(0, -1)).toEqual(texts);
  expect(shellWord('plain/path-1.txt')).toBe('plain/path-1.txt');
});
