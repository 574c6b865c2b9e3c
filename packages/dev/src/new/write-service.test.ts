import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeService } from './write-service.ts';

test('a failure in the middle restores the repository', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'write-'));
  const at = (...path: string[]) => join(folder.path, ...path);
  mkdirSync(at('proto', 'orders'), { recursive: true });
  writeFileSync(at('services.ts'), 'the old list');
  // A file where the service needs a folder.
  writeFileSync(at('gen'), '');
  const files = new Map([
    ['services.ts', 'the new list'],
    ['proto/payments/v1/payment.proto', 'syntax'],
    ['gen/src/payments/v1/payment_pb.ts', 'export {}'],
  ]);
  const before = readdirSync(folder.path, { recursive: true });
  expect(() => writeService(folder.path, 'payments', files, () => {})).toThrow('ENOTDIR');
  expect(readdirSync(folder.path, { recursive: true })).toEqual(before);
  expect(readFileSync(at('services.ts'), 'utf8')).toBe('the old list');
});
