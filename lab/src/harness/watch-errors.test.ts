import { expect, test } from 'vitest';
import { watchErrors } from './watch-errors.ts';

const expected = ['a', 'b', 'c'];

test.for([
  ['once and in order', ['a', 'b', 'c'], []],
  ['twice', ['a', 'b', 'b', 'c'], ['w1 received twice: b']],
  ['not at all', ['a', 'c'], ['w1 missed: b']],
  ['although they did not happen', ['a', 'x', 'b', 'c'], ['w1 received an unknown event: x']],
  ['in another order', ['b', 'a', 'c'], ['w1 received too early: b']],
] as const)('events that were received %s are reported as such', ([, received, errors]) => {
  expect(watchErrors('w1', received, expected)).toEqual(errors);
});
