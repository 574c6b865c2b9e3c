import { expect, test } from 'vitest';
import { countReset, hasRoom, isHalfFree, unusedBudget, usedOf } from './reset-budget.ts';

test('a connection has room for 800 resets at once', () => {
  const budget = unusedBudget();
  for (let reset = 0; reset < 800; reset++) {
    expect(hasRoom(budget, 0)).toBe(true);
    countReset(budget, 0);
  }
  expect(hasRoom(budget, 0)).toBe(false);
});

test('open calls take room like resets', () => {
  const budget = { ...unusedBudget(), calls: 400 };
  for (let reset = 0; reset < 400; reset++) countReset(budget, 0);
  expect(hasRoom(budget, 0)).toBe(false);
  budget.calls--;
  expect(hasRoom(budget, 0)).toBe(true);
});

test('25 resets expire per second, down to none', () => {
  const budget = unusedBudget();
  for (let reset = 0; reset < 100; reset++) countReset(budget, 1000);
  expect(usedOf(budget, 3000)).toBe(50);
  countReset(budget, 3000);
  expect(usedOf(budget, 3000)).toBe(51);
  expect(usedOf(budget, 60_000)).toBe(0);
});

test('a budget is half free while less than half of it is used', () => {
  const budget = { ...unusedBudget(), calls: 399 };
  expect(isHalfFree(budget, 0)).toBe(true);
  budget.calls++;
  expect(isHalfFree(budget, 0)).toBe(false);
});

test('a client that resets 25 calls a second never uses up a connection of a Node server', () => {
  const budget = unusedBudget();
  for (let nowMs = 0; nowMs < 600_000; nowMs += 40) {
    expect(hasRoom(budget, nowMs)).toBe(true);
    countReset(budget, nowMs);
  }
});
