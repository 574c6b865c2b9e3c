import { expect, test } from 'vitest';
import { createFairShare } from './fair-share.ts';

function filledBy(calls: Readonly<Record<string, number>>) {
  const shares = createFairShare();
  for (const [caller, count] of Object.entries(calls))
    for (let call = 0; call < count; call++) shares.add(caller);
  return shares;
}

test('every caller has room while the total is below the limit', () => {
  const shares = filledBy({ greedy: 99 });
  expect(shares.hasRoom('greedy', 100, 3)).toBe(true);
  shares.add('greedy');
  expect(shares.hasRoom('greedy', 100, 3)).toBe(false);
});

test('beyond the limit a caller has room for an equal share of it', () => {
  const shares = filledBy({ greedy: 100, modest: 49 });
  expect(shares.hasRoom('modest', 100, 3)).toBe(true);
  shares.add('modest');
  expect(shares.hasRoom('modest', 100, 3)).toBe(false);
  expect(shares.hasRoom('new', 100, 3)).toBe(true);
});

test('a caller has room for eight where the shares are smaller, up to the factor in all', () => {
  const shares = filledBy({ greedy: 8, a: 7, b: 7 });
  expect(shares.hasRoom('a', 8, 3)).toBe(true);
  shares.add('a');
  expect(shares.hasRoom('a', 8, 3)).toBe(false);
  shares.add('b');
  expect(shares.hasRoom('new', 8, 3)).toBe(false);
  shares.remove('greedy');
  expect(shares.hasRoom('new', 8, 3)).toBe(true);
});

test('a limit of 0 has room for no caller', () => {
  expect(createFairShare().hasRoom('anna', 0, 3)).toBe(false);
});
