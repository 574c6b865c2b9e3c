import { expect, test } from 'vitest';
import { createFairSemaphore, SemaphoreFullError } from './semaphore.ts';

const options = { permits: 1, maxWaiting: 10, maxWaitingPerKey: 4 };

/** Records the order in which work starts. The test ends each piece of work. */
function workshop() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
  };
  const end = async (name: string, done: Promise<string>) => {
    ends.get(name)?.();
    expect(await done).toBe(name);
  };
  return { begun, work, end };
}

test('keys take turns, however much of one of them waits', async () => {
  const run = createFairSemaphore(options);
  const { begun, work, end } = workshop();
  const names = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'];
  const done = names.map((name) => run(name.charAt(0), work(name)));
  const order = ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'];
  for (const name of order) await end(name, done[names.indexOf(name)] as Promise<string>);
  expect(begun).toEqual(order);
});

test('work over the limit of its key or of all is rejected before it is begun', async () => {
  const run = createFairSemaphore({ permits: 1, maxWaiting: 3, maxWaitingPerKey: 2 });
  const { begun, work, end } = workshop();
  const done = [run('a', work('a1')), run('a', work('a2')), run('a', work('a3'))];
  await expect(run('a', work('a4'))).rejects.toThrow(SemaphoreFullError);
  const other = run('b', work('b1'));
  await expect(run('c', work('c1'))).rejects.toThrow(SemaphoreFullError);
  await end('a1', done[0] as Promise<string>);
  await end('a2', done[1] as Promise<string>);
  await end('b1', other);
  await end('a3', done[2] as Promise<string>);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
});

test('work that fails gives its permit back', async () => {
  const run = createFairSemaphore(options);
  await expect(run('a', () => Promise.reject(new Error('the disk is gone')))).rejects.toThrow('the disk');
  expect(await run('a', async () => 'served')).toBe('served');
});
