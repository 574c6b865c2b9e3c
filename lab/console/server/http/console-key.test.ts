import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openTemporaryFolder } from '@acme/lab/harness/temporary-folder';
import { expect, test } from 'vitest';
import { keptConsoleKey } from './console-key.ts';

test('a data folder keeps its key, which only the user can read', async () => {
  await using folder = await openTemporaryFolder('key-');
  const data = join(folder.path, 'data');
  const key = await keptConsoleKey(data);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(await keptConsoleKey(data)).toBe(key);
  expect(await keptConsoleKey(join(folder.path, 'other'))).not.toBe(key);
  expect((await stat(join(data, 'console-key'))).mode & 0o777).toBe(0o600);
});
