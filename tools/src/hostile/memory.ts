import { readFile, stat, writeFile } from 'node:fs/promises';

/** Samples of a process's resident memory, and the size of its log. Linux only: it reads /proc. */
export interface MemoryWatch {
  /** The largest value since the start, in MiB. It outlives the process. */
  readonly peakMiB: number;
  stop(): Promise<void>;
}

const sampleEveryMs = 50;
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

/** Returns a process's resident memory now, or its peak. Rejects if there is no such process. */
export async function memoryMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no ${field}`);
  return Number(kib) / 1024;
}

export async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}
