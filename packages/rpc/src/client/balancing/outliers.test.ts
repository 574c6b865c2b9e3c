import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { ejectionAfter, initialHealth, onProbation, type ReplicaHealth } from './outliers.ts';

/** Returns the ejection after each of these outcomes of calls to the first of several replicas. */
function ejections(outcomes: readonly Code[], all: readonly ReplicaHealth[], isStream = false): number[] {
  const [health = initialHealth()] = all;
  return outcomes.map((code) => ejectionAfter(health, code, isStream, all));
}

const replicas = (count: number) => Array.from({ length: count }, initialHealth);
const named = (codes: readonly Code[]) => codes.map((code) => [Code[code], code] as const);
const five = (code: Code): Code[] => Array(5).fill(code);

test.each(named([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS]))(
  'five calls in a row that end with %s eject a replica for 5 s',
  (_name, code) => {
    expect(ejections(five(code), replicas(3))).toEqual([0, 0, 0, 0, 5000]);
  },
);

const answers = [
  Code.OK,
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.ALREADY_EXISTS,
  Code.PERMISSION_DENIED,
  Code.FAILED_PRECONDITION,
  Code.ABORTED,
  Code.OUT_OF_RANGE,
  Code.UNIMPLEMENTED,
  Code.UNAUTHENTICATED,
];

test.each(named(answers))('%s is an answer, which ends a row of faults', (_name, code) => {
  const four = five(Code.INTERNAL).slice(1);
  expect(ejections([...four, code, ...four], replicas(3)).every((ms) => ms === 0)).toBe(true);
});

test.each(named([Code.CANCELLED, Code.RESOURCE_EXHAUSTED]))(
  '%s is neutral: neither a fault nor the end of a row of faults',
  (_name, code) => {
    expect(ejections(five(code), replicas(3))).toEqual([0, 0, 0, 0, 0]);
    const four = five(Code.INTERNAL).slice(1);
    expect(ejections([...four, code, Code.INTERNAL], replicas(3)).at(-1)).toBe(5000);
  },
);

test('a stream that ends at its deadline is not a fault, and one that breaks is', () => {
  expect(ejections(five(Code.DEADLINE_EXCEEDED), replicas(3), true)).toEqual([0, 0, 0, 0, 0]);
  expect(ejections(five(Code.UNAVAILABLE), replicas(3), true).at(-1)).toBe(5000);
});

test('a replica that fails after its ejection is ejected at once for twice as long, up to a minute', () => {
  const all = replicas(3);
  const [health = initialHealth()] = all;
  ejections(five(Code.INTERNAL), all);
  const next = [1, 2, 3, 4, 5].map(() => {
    Object.assign(health, onProbation(health));
    return ejectionAfter(health, Code.INTERNAL, false, all);
  });
  expect(next).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
});

test('a replica that answers after its ejection is treated as a new one', () => {
  const all = replicas(3);
  const [health = initialHealth()] = all;
  ejections(five(Code.INTERNAL), all);
  Object.assign(health, onProbation(health));
  expect(ejections([Code.OK, ...five(Code.INTERNAL)], all)).toEqual([0, 0, 0, 0, 0, 5000]);
});

test('late answers of an ejected replica neither eject it again nor readmit it', () => {
  const all = replicas(3);
  const [health = initialHealth()] = all;
  ejections(five(Code.INTERNAL), all);
  expect(ejections([Code.OK, ...five(Code.INTERNAL)], all)).toEqual([0, 0, 0, 0, 0, 0]);
  Object.assign(health, onProbation(health));
  expect(ejectionAfter(health, Code.INTERNAL, false, all)).toBe(10_000);
});

test.each([
  [1, 0],
  [2, 1],
  [3, 1],
  [4, 2],
  [5, 2],
])('of %i replicas that all fail at most %i are ejected', (count, ejected) => {
  const all = replicas(count);
  for (const health of all)
    for (const code of five(Code.UNAVAILABLE)) ejectionAfter(health, code, false, all);
  expect(all.filter(({ isEjected }) => isEjected)).toHaveLength(ejected);
});
