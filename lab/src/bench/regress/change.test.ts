import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { changeBetween } from './change.ts';

/** Returns turns around 100 µs. Other work triples some of them, and adds up to a tenth to the others. */
function turns(seed: string, scale = 1): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: 20 }, () => scale * 100 * (random.chance(0.3) ? 3 : 1 + random.next() / 10));
}

test('the same code is within the noise, whichever turns are disturbed', () => {
  const verdicts = Array.from(
    { length: 5 },
    (_, run) => changeBetween(turns(`base ${run}`), turns(`head ${run}`)).verdict,
  );
  expect(new Set(verdicts)).toEqual(new Set(['within the noise']));
});

test('a fifth more is reported as more, and a fifth less as less', () => {
  const more = changeBetween(turns('base'), turns('head', 1.2));
  expect(more.verdict).toBe('more');
  expect(more.percent).toBeGreaterThan(more.low);
  expect(more.percent).toBeLessThan(more.high);
  expect(changeBetween(turns('base'), turns('head', 0.8)).verdict).toBe('less');
});

test('two percent more in every turn is within the noise: two processes of the same code differ by as much', () => {
  const base = turns('base');
  const change = changeBetween(
    base,
    base.map((us) => us * 1.02),
  );
  expect(change.percent).toBeCloseTo(2);
  expect(change.verdict).toBe('within the noise');
});

test('turns in which a starved process did no work do not count', () => {
  const [base, head] = [turns('base'), turns('head')];
  const starved = [Number.POSITIVE_INFINITY, 0, Number.NaN];
  expect(changeBetween([...starved, ...base], [...starved.map(() => 1), ...head])).toEqual(
    changeBetween(base, head),
  );
});

test('without a turn that counts there is no change', () => {
  expect(changeBetween([Number.NaN], [Number.NaN]).verdict).toBe('within the noise');
});
