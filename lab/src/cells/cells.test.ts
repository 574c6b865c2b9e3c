import { expect, test } from 'vitest';
import { soundParts } from './parts.ts';
import { plantedBugs } from './planted-bugs.ts';
import { simulate } from './simulation.ts';

const seeds = Array.from({ length: 20 }, (_, index) => `test ${index}`);

test('a seed determines a run, with its ids and its violations', async () => {
  const bug = plantedBugs.find(({ name }) => name === 'one-cell-undone');
  const runs = async () => {
    const outcomes = [];
    for (const seed of seeds) outcomes.push(await simulate(seed, { ...soundParts, ...bug?.parts }));
    return outcomes;
  };
  const first = await runs();
  expect(first.flatMap(({ errors }) => errors)).not.toEqual([]);
  expect(await runs()).toEqual(first);
});

test('orders with stock in several cells are confirmed, and others are rejected and cancelled', async () => {
  const totals = { spread: 0, rejected: 0, cancelled: 0 };
  for (const seed of seeds) {
    const { counts, errors } = await simulate(seed);
    expect(errors).toEqual([]);
    totals.spread += counts.spread;
    totals.rejected += counts.rejected;
    totals.cancelled += counts.cancelled;
  }
  expect(Math.min(...Object.values(totals))).toBeGreaterThan(5);
});
