import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Mounts a disk of this size at a new folder. Returns the reason where none can be mounted. */
export async function mountDisk(folder: string, sizeMiB: number): Promise<AsyncDisposable | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'needs root on Linux, for a small disk';
  const run = promisify(execFile);
  await mkdir(folder);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=755`, 'tmpfs', folder]);
  } catch {
    return 'needs the permission to mount a small disk';
  }
  return { [Symbol.asyncDispose]: async () => void (await run('umount', ['--lazy', folder])) };
}
