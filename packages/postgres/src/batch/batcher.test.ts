import pg from 'pg';
import { expect, test } from 'vitest';
import { isUnavailable, QueueFullError } from '../errors/database-errors.ts';
import { batchBytes, createBatcher } from './batcher.ts';

/** Returns a `run` that records its batches. The test ends each batch. */
function heldRun() {
  const batches: number[][] = [];
  const ends: PromiseWithResolvers<number[]>[] = [];
  const run = (items: number[]) => {
    batches.push(items);
    const end = Promise.withResolvers<number[]>();
    ends.push(end);
    return end.promise;
  };
  const succeed = (index: number) => ends[index]?.resolve(batches[index]?.map((item) => item * 10) ?? []);
  return { batches, ends, run, succeed };
}

/** Resolves after one turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a single item starts in the same turn of the event loop when no batch runs', async () => {
  const { batches, run, succeed } = heldRun();
  const add = createBatcher({ name: 'test', run, maxItems: 10, maxQueued: 10 });
  const result = add(1);
  await turn();
  expect(batches).toEqual([[1]]);
  succeed(0);
  expect(await result).toBe(10);
});

test('items of one turn of the event loop are one batch', async () => {
  const { batches, run, succeed } = heldRun();
  const add = createBatcher({ name: 'test', run, maxItems: 10, maxQueued: 10 });
  const results = [add(1)];
  // Like the calls of one packet: each runs until it awaits, and then the next one.
  for (const item of [2, 3]) {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    results.push(add(item));
  }
  await turn();
  expect(batches).toEqual([[1, 2, 3]]);
  succeed(0);
  expect(await Promise.all(results)).toEqual([10, 20, 30]);
});

test('items that arrive during a batch are the next batch, in order, at most maxItems', async () => {
  const { batches, run, succeed } = heldRun();
  const add = createBatcher({ name: 'test', run, maxItems: 3, maxQueued: 10 });
  const first = add(0);
  await turn();
  const others = [1, 2, 3, 4].map(add);
  await turn();
  expect(batches).toEqual([[0]]);
  succeed(0);
  await first;
  await turn();
  expect(batches).toEqual([[0], [1, 2, 3]]);
  succeed(1);
  await turn();
  succeed(2);
  expect(await Promise.all(others)).toEqual([10, 20, 30, 40]);
  expect(batches).toEqual([[0], [1, 2, 3], [4]]);
});

test('a batcher starts again after its queue was empty', async () => {
  const add = createBatcher({
    name: 'test',
    run: async (items: number[]) => items,
    maxItems: 3,
    maxQueued: 3,
  });
  expect(await add(1)).toBe(1);
  await turn();
  expect(await add(2)).toBe(2);
});

test('an item over maxQueued is rejected at once, and the queued ones are not', async () => {
  const { run, succeed } = heldRun();
  const add = createBatcher({ name: 'test', run, maxItems: 2, maxQueued: 2 });
  const first = add(0);
  await turn();
  const waiting = [1, 2].map(add);
  await expect(add(3)).rejects.toBeInstanceOf(QueueFullError);
  succeed(0);
  await first;
  await turn();
  const fits = add(4);
  succeed(1);
  await turn();
  succeed(2);
  expect(await Promise.all([...waiting, fits])).toEqual([10, 20, 40]);
});

test('the items of a failed batch run one by one, in order', async () => {
  const batches: number[][] = [];
  const add = createBatcher({
    name: 'test',
    run: async (items: number[]) => {
      batches.push(items);
      if (items.includes(2)) throw new Error('two is bad');
      return items;
    },
    maxItems: 3,
    maxQueued: 3,
  });
  const results = await Promise.allSettled([1, 2, 3].map(add));
  expect(
    results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message)),
  ).toEqual([1, 'two is bad', 3]);
  expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test('an unavailable database fails the whole batch after one run', async () => {
  let calls = 0;
  const add = createBatcher<number, number>({
    name: 'test',
    run: async () => {
      calls += 1;
      await new pg.Client({ host: '127.0.0.1', port: 1 }).connect();
      return [];
    },
    maxItems: 3,
    maxQueued: 3,
  });
  const results = await Promise.allSettled([1, 2, 3].map(add));
  expect(results.map((result) => result.status === 'rejected' && isUnavailable(result.reason))).toEqual([
    true,
    true,
    true,
  ]);
  expect(calls).toBe(1);
});

test('an unavailable database ends the one-by-one runs', async () => {
  const batches: number[][] = [];
  const add = createBatcher<number, number>({
    name: 'test',
    run: async (items) => {
      batches.push(items);
      if (items.length > 1) throw new Error('one of them is bad');
      if (items[0] === 2) await new pg.Client({ host: '127.0.0.1', port: 1 }).connect();
      return items;
    },
    maxItems: 3,
    maxQueued: 3,
  });
  const results = await Promise.allSettled([1, 2, 3].map(add));
  expect(results.map((result) => result.status === 'rejected' && isUnavailable(result.reason))).toEqual([
    false,
    true,
    true,
  ]);
  expect(batches).toEqual([[1, 2, 3], [1], [2]]);
});

test('a run that returns the wrong number of results fails its batch and is not repeated', async () => {
  let calls = 0;
  const run = async () => {
    calls += 1;
    return [1];
  };
  const add = createBatcher<number, number>({ name: 'test', run, maxItems: 3, maxQueued: 3 });
  const results = await Promise.allSettled([1, 2].map(add));
  expect(results).toMatchObject(
    [1, 2].map(() => ({ reason: { message: 'a batch of 2 items returned 1 results' } })),
  );
  expect(calls).toBe(1);
});

test('a run that throws before its first await rejects its items', async () => {
  const run = (): Promise<number[]> => {
    throw new Error('at once');
  };
  const add = createBatcher<number, number>({ name: 'test', run, maxItems: 3, maxQueued: 3 });
  await expect(add(1)).rejects.toThrow('at once');
});

test('batches and the queue are limited by bytes', async () => {
  const { batches, run, succeed } = heldRun();
  const half = batchBytes.run / 2;
  // An item of 1 has half the size of a batch.
  const options = {
    name: 'test',
    run,
    maxItems: 10,
    maxQueued: 1000,
    sizeOf: (item: number) => item * half,
  };
  const add = createBatcher(options);
  const results = [add(0)];
  await turn();
  results.push(...[1, 1, 1, 3, 0].map(add));
  for (let batch = 0; batch < 4; batch++) {
    succeed(batch);
    await turn();
  }
  expect(batches).toEqual([[0], [1, 1], [1], [3], [0]]);
  const queued = Array.from({ length: (2 * batchBytes.queued) / batchBytes.run }, () => add(1));
  await expect(add(1)).rejects.toThrow(QueueFullError);
  for (let batch = 4; batch < batches.length; batch++) {
    succeed(batch);
    await turn();
  }
  await Promise.all([...results, ...queued]);
});
