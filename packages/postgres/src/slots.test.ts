import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSlots } from './slots.ts';

const { signal } = new AbortController();

test('ensure there are as many at a time as there are slots, in the order they came in', async () => {
  const takeSlot = createSlots(2);
  const taken: number[] = [];
  const take = async (number: number) => {
    const slot = await takeSlot(signal);
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

test('ensure one who leaves the queue keeps no slot', async () => {
  const takeSlot = createSlots(1);
  const first = await takeSlot(signal);
  const leaving = new AbortController();
  const left = takeSlot(leaving.signal);
  const next = takeSlot(signal);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  first[Symbol.dispose]();
  (await next)[Symbol.dispose]();
});
