import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { tokenFile } from './token-file.ts';

const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'token-file-'));

/** Stops the clock of the rereads. */
function stopClock() {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

test('a renewed token is used after ten seconds, and not before', async () => {
  stopClock();
  await using folder = await makeFolder();
  const path = join(folder.path, 'token');
  await writeFile(path, 'first\n');
  const token = tokenFile(path);
  expect(await token()).toBe('first');
  await writeFile(path, 'second\n');
  vi.advanceTimersByTime(9999);
  expect(await token()).toBe('first');
  vi.advanceTimersByTime(1);
  expect(await token()).toBe('second');
});

test.each<[string, (path: string) => Promise<void>]>([
  ['is gone', (path) => rm(path)],
  ['is empty, because it is being written', (path) => writeFile(path, '')],
])('the last good token stays in use while the file %s', async (_name, spoil) => {
  stopClock();
  await using folder = await makeFolder();
  const path = join(folder.path, 'token');
  await writeFile(path, 'first');
  const token = tokenFile(path);
  expect(await token()).toBe('first');
  await spoil(path);
  for (let reads = 0; reads < 3; reads++) {
    vi.advanceTimersByTime(10_000);
    expect(await token()).toBe('first');
  }
  await writeFile(path, 'second');
  vi.advanceTimersByTime(10_000);
  expect(await token()).toBe('second');
});

test('a file that cannot be read fails the call with its name, and is read again for the next call', async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'token');
  const token = tokenFile(path);
  await expect(token()).rejects.toMatchObject({
    code: Code.UNAUTHENTICATED,
    message: `no token can be read from ${path}`,
  });
  await writeFile(path, 'first');
  expect(await token()).toBe('first');
});
