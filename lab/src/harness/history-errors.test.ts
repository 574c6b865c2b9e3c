import { expect, test } from 'vitest';
import type { Call, Outcome } from './history.ts';
import { historyErrors } from './history-errors.ts';

const purchase = { customerId: 'alice', requestId: 'r', units: { A: 1 } };

/** Returns sequential calls of one purchase. */
function callsWith(...outcomes: Outcome[]): Call[] {
  return outcomes.map((outcome, index) => ({
    method: 'place',
    purchase,
    startMs: index,
    endMs: index + 0.5,
    outcome,
  }));
}

const ok = (state: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED', orderId = 'o') =>
  ({ kind: 'ok', orderId, state }) as const;
const unknown = (message: string) => ({ kind: 'unknown', code: 'UNAVAILABLE', message }) as const;
const rejected = (reason: string, orderId = '') =>
  ({ kind: 'rejected', code: 'X', reason, orderId }) as const;

test('a history in which states only move forward has no errors', () => {
  expect(historyErrors(callsWith(unknown('gone'), ok('PENDING'), ok('CONFIRMED'), ok('CANCELLED')))).toEqual(
    [],
  );
  expect(historyErrors(callsWith(ok('PENDING'), rejected('OUT_OF_STOCK', 'o')))).toEqual([]);
});

test.for([
  [
    'a second order for one request',
    callsWith(ok('PENDING'), ok('CONFIRMED', 'p')),
    /returned orders o and p$/,
  ],
  [
    'a state that went back',
    callsWith(ok('CONFIRMED'), ok('PENDING')),
    /answered CONFIRMED and later PENDING$/,
  ],
  [
    'a rejection that is revoked',
    callsWith(rejected('OUT_OF_STOCK', 'o'), ok('CONFIRMED')),
    /REJECTED and later CONFIRMED/,
  ],
  ['an internal error', callsWith(unknown('internal error')), /place returned INTERNAL$/],
  ['an unexpected rejection', callsWith(rejected('NOT_FOUND')), /place was rejected with X NOT_FOUND$/],
] as const)('%s is reported', ([, calls, error]) => {
  expect(historyErrors(calls)).toContainEqual(expect.stringMatching(error));
});

test('concurrent calls may return their states in any order', () => {
  const [one, other] = callsWith(ok('CONFIRMED'), ok('PENDING'));
  if (!one || !other) throw new Error('two calls are expected');
  expect(historyErrors([{ ...one, endMs: 10 }, other])).toEqual([]);
});
