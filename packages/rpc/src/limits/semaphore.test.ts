import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFairSemaphore, SemaphoreFullError } from './semaphore.ts';

test('a released permit goes to the key that has waited longest', async () => {
  const semaphore = createFairSemaphore({ permits: 2 });
  const acquired: number[] = [];
  const acquire = async (number: number) => {
    const permit = await semaphore.acquire(`key ${number}`);
    acquired.push(number);
    return permit;
  };
  const first = await acquire(1);
  await acquire(2);
  const [third, fourth] = [acquire(3), acquire(4)];
  await nextTurn();
  expect(acquired).toEqual([1, 2]);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await fourth;
  expect(acquired).toEqual([1, 2, 3, 4]);
});

test('keys take turns, however many waits one of them has', async () => {
  const semaphore = createFairSemaphore({ permits: 1 });
  const acquired: string[] = [];
  const acquireAndRelease = async (key: string) => {
    using _permit = await semaphore.acquire(key);
    acquired.push(key);
    await nextTurn();
  };
  const keys = ['many', 'many', 'many', 'many', 'single', 'many', 'two', 'two'];
  await Promise.all(keys.map(acquireAndRelease));
  expect(acquired).toEqual(['many', 'many', 'single', 'two', 'many', 'two', 'many', 'many']);
});

test('a wait over the limit of its key or of all keys is rejected at once', async () => {
  const semaphore = createFairSemaphore({ permits: 1, maxWaiting: 3, maxWaitingPerKey: 2 });
  const acquired: string[] = [];
  const acquireAndRelease = async (name: string) => {
    using _permit = await semaphore.acquire(name.charAt(0));
    acquired.push(name);
  };
  const held = await semaphore.acquire('a');
  const waits = ['a1', 'a2'].map(acquireAndRelease);
  await expect(semaphore.acquire('a')).rejects.toThrow(SemaphoreFullError);
  waits.push(acquireAndRelease('b1'));
  await expect(semaphore.acquire('c')).rejects.toThrow(SemaphoreFullError);
  held[Symbol.dispose]();
  await Promise.all(waits);
  expect(acquired).toEqual(['a1', 'b1', 'a2']);
});

test('an aborted wait gives up its place', async () => {
  const semaphore = createFairSemaphore({ permits: 1, maxWaiting: 2 });
  const held = await semaphore.acquire('a');
  const leaving = new AbortController();
  const left = semaphore.acquire('b', leaving.signal);
  const next = semaphore.acquire('c');
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  const last = semaphore.acquire('d');
  held[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  (await last)[Symbol.dispose]();
  (await semaphore.acquire('e'))[Symbol.dispose]();
});

test('a wait ends after maxWaitMs', async () => {
  const semaphore = createFairSemaphore({ permits: 1, maxWaitMs: 20 });
  const held = await semaphore.acquire('a');
  await expect(semaphore.acquire('b')).rejects.toThrow(SemaphoreFullError);
  held[Symbol.dispose]();
  (await semaphore.acquire('b'))[Symbol.dispose]();
});
