import { RpcError } from '../errors/rpc-error.ts';

/** Returns the RpcError of a failed call. Throws if the call succeeds or fails with another error. */
export async function rejectionOf(call: unknown): Promise<RpcError> {
  const answer = await Promise.resolve(call).catch((error: unknown) => error);
  if (answer instanceof RpcError) return answer;
  throw new Error('the call did not fail with an RpcError', { cause: answer });
}
