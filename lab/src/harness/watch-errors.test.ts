import { expect, test } from 'vitest';
import { watchErrors } from './watch-errors.ts';

const expected = ['a', 'b', 'c'];

test.for([
  ['events received once and in order are not reported', ['a', 'b', 'c'], []],
  ['an event received twice is reported', ['a', 'b', 'b', 'c'], ['w1 received twice: b']],
  ['a missed event is reported', ['a', 'c'], ['w1 missed: b']],
  ['an event that did not happen is reported', ['a', 'x', 'b', 'c'], ['w1 received an unknown event: x']],
  ['an event received too early is reported', ['b', 'a', 'c'], ['w1 received too early: b']],
] as const)('%s', ([, received, errors]) => {
  expect(watchErrors('w1', received, expected)).toEqual(errors);
});
