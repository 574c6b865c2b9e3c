import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { hasProcessorTimes, processorMs } from './processor-time.ts';

/** A thread that uses 100 ms of processor time, and ends. */
const thread = `
  const { threadCpuUsage } = process;
  const used = () => { const { user, system } = threadCpuUsage.call(process); return (user + system) / 1000; };
  const from = used();
  while (used() - from < 100);
`;

test('the processor time of a process includes that of a thread that has ended', async () => {
  const read = () => (hasProcessorTimes ? processorMs(process.pid) : usedMs());
  const before = await read();
  await once(new Worker(thread, { eval: true }), 'exit');
  // `stat` has ticks of 10 ms, for user and for system time.
  expect((await read()) - before).toBeGreaterThan(80);
});

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
