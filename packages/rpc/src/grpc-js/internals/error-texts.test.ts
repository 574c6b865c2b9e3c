import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { beginnings, bindErrorReasons, withoutValues } from './error-texts.ts';
import { silenceGrpcJs } from './grpc-js-log.ts';

test('an unknown text is withheld, and a known text loses its values', () => {
  expect(withoutValues('Bearer canary')).toBeUndefined();
  expect(withoutValues('Failed to add metadata entry a: canary')).toBe('Failed to add metadata entry');
});

test('every known beginning occurs in the source of grpc-js', () => {
  const folder = dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js'));
  const source = readdirSync(folder)
    .filter((each) => each.endsWith('.js'))
    .map((each) => readFileSync(join(folder, each), 'utf8'))
    .join('\n')
    .replaceAll(/\$\{GRPC_TIMEOUT_HEADER\}/g, 'grpc-timeout');
  expect(beginnings.filter((each) => !source.includes(each))).toEqual([]);
});

test("the message of a failed bind ends with Node's reasons in brackets", async () => {
  silenceGrpcJs();
  const server = new Server();
  const message = await new Promise<string>((resolve) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync('192.0.2.1:0', credentials, (error) => resolve(error?.message ?? ''));
  });
  expect(bindErrorReasons(message)).toMatch(/^listen EADDRNOTAVAIL\b[^[\]]*$/);
  expect(bindErrorReasons('another text')).toBe('another text');
});
