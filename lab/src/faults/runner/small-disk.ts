import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A disk of so many MiB as this new folder; or, where none can be mounted, why not. */
export async function mountDisk(folder: string, sizeMiB: number): Promise<AsyncDisposable | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'needs root on Linux, for a small disk';
  const run = promisify(execFile);
  await mkdir(folder);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=755`, 'tmpfs', folder]);
  } catch {
    return 'needs the right to mount a small disk';
  }
  return { [Symbol.asyncDispose]: async () => void (await run('umount', ['--lazy', folder])) };
}
