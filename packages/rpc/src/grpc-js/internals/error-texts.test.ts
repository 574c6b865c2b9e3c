import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { beginnings, withoutValues } from './error-texts.ts';

test('a text that is not known is withheld, and one that is known loses its values', () => {
  expect(withoutValues('Bearer canary')).toBeUndefined();
  expect(withoutValues('Failed to add metadata entry a: canary')).toBe('Failed to add metadata entry');
});

test('every beginning that is shown is one of a text of grpc-js', () => {
  const folder = dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js'));
  const source = readdirSync(folder)
    .filter((each) => each.endsWith('.js'))
    .map((each) => readFileSync(join(folder, each), 'utf8'))
    .join('\n')
    .replaceAll(/\$\{GRPC_TIMEOUT_HEADER\}/g, 'grpc-timeout');
  expect(beginnings.filter((each) => !source.includes(each))).toEqual([]);
});
