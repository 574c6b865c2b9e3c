import { RpcError } from '../errors/rpc-error.ts';

/** The RpcError that a call fails with. Throws when it is answered, or fails with anything else. */
export async function rejectionOf(call: unknown): Promise<RpcError> {
  const answer = await Promise.resolve(call).catch((error: unknown) => error);
  if (answer instanceof RpcError) return answer;
  throw new Error('the call did not fail with an RpcError', { cause: answer });
}
