import { readdir, readFile } from 'node:fs/promises';

/** Returns the processor time of a process and all its threads, in ms. Linux only: it reads /proc. */
export async function processorMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => threadMs(`/proc/${pid}/task/${thread}`)));
  return sum(times);
}

/** Returns the processor time of a process, of its children, and of its children that have ended, in ms. */
export async function familyProcessorMs(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = children.split(' ').filter(Boolean).map(Number);
  // A child may end in between. Its time is then that of an ended one in the next reading.
  const times = await Promise.all(pids.map((child) => processorMs(child).catch(() => 0)));
  return (await processorMs(pid)) + (await endedChildrenMs(pid)) + sum(times);
}

/** Field 1 of schedstat (Documentation/scheduler/sched-stats.rst) is the time on a processor, in ns. */
async function threadMs(folder: string): Promise<number> {
  // A thread may have ended.
  const text = await readFile(`${folder}/schedstat`, 'utf8').catch(() => '0');
  return Number(text.split(' ')[0]) / 1e6;
}

/** Fields 16 and 17 of stat (proc(5)) are the times of children that were waited for, in ticks of 10 ms. */
async function endedChildrenMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
