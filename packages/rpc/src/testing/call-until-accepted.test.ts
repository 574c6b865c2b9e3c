import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { patiently } from './call-until-accepted.ts';

/** Fails with this code the first time, and counts. */
function failingOnce(code: Code) {
  const calls = { count: 0 };
  const call = async () => {
    calls.count += 1;
    if (calls.count === 1) throw new RpcError(code, 'not now');
    return 'done';
  };
  return { call, calls };
}

test.each([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED])(
  'ensure a call that nobody answered (%i) is made again',
  async (code) => {
    const { call } = failingOnce(code);
    expect(await patiently(call)).toBe('done');
  },
);

test('ensure an answer that stands is not asked for again', async () => {
  const { call, calls } = failingOnce(Code.FAILED_PRECONDITION);
  await expect(patiently(call)).rejects.toMatchObject({ code: Code.FAILED_PRECONDITION });
  expect(calls.count).toBe(1);
});
