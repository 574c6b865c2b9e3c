import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const sampleMs = 200;

/** Runs `run` and returns its result with the peak growth of a process's resident memory meanwhile, in MB. */
export async function peakMemoryMb<T>(
  pid: number,
  run: () => Promise<T>,
): Promise<{ result: T; peakMb: number }> {
  const idleMb = await residentMb(pid);
  let peakMb = idleMb;
  const timer = setInterval(async () => {
    peakMb = Math.max(peakMb, await residentMb(pid));
  }, sampleMs);
  try {
    return { result: await run(), peakMb: Math.max(peakMb, await residentMb(pid)) - idleMb };
  } finally {
    clearInterval(timer);
  }
}

/** Returns the resident memory of a process in MB, from /proc or `ps`. Returns 0 if the process has ended. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib !== undefined || process.platform === 'linux') return Number(kib ?? 0) / 1024;
  const ps = promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number((await ps.catch(() => ({ stdout: '' }))).stdout) / 1024;
}
