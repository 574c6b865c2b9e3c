import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { callUntilAccepted } from './call-until-accepted.ts';

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
  'a call that was not answered (%i) is made again',
  async (code) => {
    const { call } = failingOnce(code);
    expect(await callUntilAccepted(call)).toBe('done');
  },
);

test('a call that was answered is not repeated', async () => {
  const { call, calls } = failingOnce(Code.FAILED_PRECONDITION);
  await expect(callUntilAccepted(call)).rejects.toMatchObject({ code: Code.FAILED_PRECONDITION });
  expect(calls.count).toBe(1);
});
