import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSlots, SlotsBusyError } from './slots.ts';

const { signal } = new AbortController();
const maxWaitMs = 60_000;

test('a slot that is released goes to the caller that waits longest', async () => {
  const takeSlot = createSlots({ count: 2, maxWaitMs });
  const taken: number[] = [];
  const take = async (number: number) => {
    const slot = await takeSlot(`caller ${number}`, signal);
    taken.push(number);
    return slot;
  };
  const first = await take(1);
  await take(2);
  const [third, fourth] = [take(3), take(4)];
  await nextTurn();
  expect(taken).toEqual([1, 2]);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await fourth;
  expect(taken).toEqual([1, 2, 3, 4]);
});

test('a caller that waits for many slots does not hold up one that waits for a single one', async () => {
  const takeSlot = createSlots({ count: 1, maxWaitMs });
  const taken: string[] = [];
  const takeAndRelease = async (caller: string) => {
    using _slot = await takeSlot(caller, signal);
    taken.push(caller);
    await nextTurn();
  };
  const callers = ['many', 'many', 'many', 'many', 'one', 'many', 'two', 'two'];
  await Promise.all(callers.map(takeAndRelease));
  expect(taken).toEqual(['many', 'many', 'one', 'two', 'many', 'two', 'many', 'many']);
});

test('a caller that leaves the queue keeps no slot', async () => {
  const takeSlot = createSlots({ count: 1, maxWaitMs });
  const first = await takeSlot('a', signal);
  const leaving = new AbortController();
  const left = takeSlot('b', leaving.signal);
  const next = takeSlot('c', signal);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  first[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  (await takeSlot('d', signal))[Symbol.dispose]();
});

test('a wait for a slot ends after maxWaitMs', async () => {
  const takeSlot = createSlots({ count: 1, maxWaitMs: 20 });
  const first = await takeSlot('a', signal);
  await expect(takeSlot('b', signal)).rejects.toBeInstanceOf(SlotsBusyError);
  first[Symbol.dispose]();
  (await takeSlot('b', signal))[Symbol.dispose]();
});
