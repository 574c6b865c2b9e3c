import { appendFile, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchLog } from './log-watch.ts';

/** Chunk size of a read stream. */
const chunkBytes = 64 * 1024;

test('a text that spans two chunks is found', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'log-watch-'));
  const file = join(folder.path, 'log');
  await writeFile(file, 'before\n');
  const log = await watchLog(file);
  await appendFile(file, `${'x'.repeat(chunkBytes - 3)}canary`);
  expect(await log.contains('canary')).toBe(true);
  expect(await log.sizeBytes()).toBe(chunkBytes + 3);
});

test('lines logged before the watch are ignored', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'log-watch-'));
  const file = join(folder.path, 'log');
  await writeFile(file, 'canary\n');
  const log = await watchLog(file);
  await appendFile(file, 'after\n');
  expect(await log.contains('canary')).toBe(false);
  expect(await log.contains('after')).toBe(true);
});
