import { expect, test } from 'vitest';
import type { Call, Outcome } from './history.ts';
import { historyErrors } from './history-errors.ts';

const wish = { customerId: 'alice', requestId: 'r', units: { A: 1 } };

/** Calls of one wish, each begun after the one before had ended. */
function callsWith(...outcomes: Outcome[]): Call[] {
  return outcomes.map((outcome, index) => ({
    method: 'place',
    wish,
    startMs: index,
    endMs: index + 0.5,
    outcome,
  }));
}

const ok = (state: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED', orderId = 'o') =>
  ({ kind: 'ok', orderId, state }) as const;
const unknown = (message: string) => ({ kind: 'unknown', code: 'UNAVAILABLE', message }) as const;
const refused = (reason: string, orderId = '') => ({ kind: 'refused', code: 'X', reason, orderId }) as const;

test('ensure calls that go forward are found right', () => {
  expect(historyErrors(callsWith(unknown('gone'), ok('PENDING'), ok('CONFIRMED'), ok('CANCELLED')))).toEqual(
    [],
  );
  expect(historyErrors(callsWith(ok('PENDING'), refused('OUT_OF_STOCK', 'o')))).toEqual([]);
});

test.for([
  [
    'two orders for one request',
    callsWith(ok('PENDING'), ok('CONFIRMED', 'p')),
    /answered with o and with p$/,
  ],
  [
    'a state that went back',
    callsWith(ok('CONFIRMED'), ok('PENDING')),
    /answered CONFIRMED, and PENDING afterwards$/,
  ],
  [
    'a rejection that is taken back',
    callsWith(refused('OUT_OF_STOCK', 'o'), ok('CONFIRMED')),
    /REJECTED, and CONFIRMED/,
  ],
  ['an internal error', callsWith(unknown('internal error')), /place was answered INTERNAL$/],
  ['a refusal that nobody foresaw', callsWith(refused('NOT_FOUND')), /place was refused with X NOT_FOUND$/],
] as const)('ensure %s is found', ([, calls, error]) => {
  expect(historyErrors(calls)).toContainEqual(expect.stringMatching(error));
});

test('ensure calls at the same time may be answered in any order', () => {
  const [one, other] = callsWith(ok('CONFIRMED'), ok('PENDING'));
  if (!one || !other) throw new Error('never: there are two');
  expect(historyErrors([{ ...one, endMs: 10 }, other])).toEqual([]);
});
