import { expect, test } from 'vitest';
import { watchErrors } from './watch-errors.ts';

const happened = ['a', 'b', 'c'];

test.for([
  ['once and in order', ['a', 'b', 'c'], []],
  ['twice', ['a', 'b', 'b', 'c'], ['she saw twice: b']],
  ['not at all', ['a', 'c'], ['she missed: b']],
  ['although they did not happen', ['a', 'x', 'b', 'c'], ['she saw what did not happen: x']],
  ['in another order', ['b', 'a', 'c'], ['she saw too early: b']],
] as const)('ensure of events that were seen %s that is said', ([, seen, errors]) => {
  expect(watchErrors('she', seen, happened)).toEqual(errors);
});
