import { expect, test } from 'vitest';
import { createMemoryBudget } from './memory-budget.ts';

function holder(caller: string) {
  return {
    caller,
    evicted: 0,
    evict() {
      this.evicted++;
    },
  };
}

test('the caller that holds the most loses its largest call, whichever call goes over the limit', () => {
  const held = createMemoryBudget(100);
  const [small, large, bystander] = [holder('greedy'), holder('greedy'), holder('modest')];
  held.hold(small, 30);
  held.hold(large, 40);
  held.hold(bystander, 25);
  expect(held.snapshot()).toEqual({ sizeBytes: 95, evicted: 0 });
  held.hold(bystander, 10);
  expect([small.evicted, large.evicted, bystander.evicted]).toEqual([0, 1, 0]);
  expect(held.snapshot()).toEqual({ sizeBytes: 65, evicted: 1 });
});

test('calls are evicted until the total is within the limit', () => {
  const held = createMemoryBudget(100);
  const calls = Array.from({ length: 9 }, () => holder('greedy'));
  for (const call of calls) held.hold(call, 10);
  const last = holder('modest');
  held.hold(last, 40);
  expect(last.evicted).toBe(0);
  expect(calls.filter(({ evicted }) => evicted === 1)).toHaveLength(3);
  expect(held.snapshot().sizeBytes).toBe(100);
});

test('released bytes are available again, and those of an evicted call are released once', () => {
  const held = createMemoryBudget(100);
  const call = holder('anna');
  held.hold(call, 80);
  held.release(call, 50);
  held.hold(call, 60);
  expect(call.evicted).toBe(0);
  held.hold(call, 20);
  expect(call.evicted).toBe(1);
  held.release(call, 20);
  held.releaseAll(call);
  expect(held.snapshot()).toEqual({ sizeBytes: 0, evicted: 1 });
});
