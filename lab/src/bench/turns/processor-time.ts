import { readdir, readFile } from 'node:fs/promises';

/** Whether this system says which processor time another process has used. */
export const hasProcessorTimes = process.platform === 'linux';

/**
 * Returns the processor time of a process and its threads, those that have ended too, in ms. Linux only: it reads /proc.
 *
 * The times of the threads are exact, and miss those that have ended. The time of the process includes these, in ticks
 * that are rounded down. The larger of the two is the exact one until a thread ends.
 */
export async function processorMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => threadMs(`/proc/${pid}/task/${thread}`)));
  return Math.max(sum(times), (await readTimes(pid)).processMs);
}

/** Returns the processor time of a process, of its children, and of its children that have ended, in ms. */
export async function familyProcessorMs(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = children.split(' ').filter(Boolean).map(Number);
  // A child may end in between. Its time is then that of an ended one in the next reading.
  const times = await Promise.all(pids.map((child) => processorMs(child).catch(() => 0)));
  return (await processorMs(pid)) + (await readTimes(pid)).endedChildrenMs + sum(times);
}

/** Field 1 of schedstat (Documentation/scheduler/sched-stats.rst) is the time on a processor, in ns. */
async function threadMs(folder: string): Promise<number> {
  // A thread may have ended.
  const text = await readFile(`${folder}/schedstat`, 'utf8').catch(() => '0');
  return Number(text.split(' ')[0]) / 1e6;
}

/** Fields 14 to 17 of stat (proc(5)) are the times of the process and of its children that were waited for. */
async function readTimes(pid: number): Promise<{ processMs: number; endedChildrenMs: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number) => Number(fields[field - 3]);
  return {
    processMs: tickMs * (ticks(14) + ticks(15)),
    endedChildrenMs: tickMs * (ticks(16) + ticks(17)),
  };
}

/** USER_HZ is 100 on every architecture that Node supports. */
const tickMs = 10;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
