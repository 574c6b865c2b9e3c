import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Peak resident memory of a process. Linux only: it reads /proc. */
export interface MemoryWatch {
  /** The largest value since the start, in MiB. Still valid after the process has ended. */
  readonly peakMiB: number;
  stop(): Promise<void>;
}

const sampleEveryMs = 50;
const releasePollMs = 200;
/** Resets the peak that the kernel keeps (proc(5), clear_refs). */
const resetPeak = '5';

export async function watchMemory(pid: number): Promise<MemoryWatch> {
  await writeFile(`/proc/${pid}/clear_refs`, resetPeak);
  let peakMiB = 0;
  const sample = async () => {
    // The process may have ended.
    const peak = await memoryMiB(pid, 'VmHWM').catch(() => 0);
    peakMiB = Math.max(peakMiB, peak);
  };
  await sample();
  const timer = setInterval(sample, sampleEveryMs);
  return {
    get peakMiB() {
      return peakMiB;
    },
    stop: async () => {
      clearInterval(timer);
      await sample();
    },
  };
}

/** Returns the current or peak resident memory of a process, in MiB. Rejects if there is no such process. */
export async function memoryMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no ${field}`);
  return Number(kib) / 1024;
}

/** Waits until the resident memory is below the limit, or until the timeout. Returns the memory in MiB, 0 if it ended. */
export async function memoryAfter(pid: number, limitMiB: number, timeoutMs: number): Promise<number> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const nowMiB = await memoryMiB(pid, 'VmRSS').catch(() => 0);
    if (nowMiB <= limitMiB || performance.now() > endMs) return nowMiB;
    await sleep(releasePollMs);
  }
}
