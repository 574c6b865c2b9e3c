import type { DescMethod } from '@bufbuild/protobuf';
import { hasRequestStream } from '../call/method-kind.ts';

/**
 * Calls a method of any kind with one empty message, and returns its first response. Tests call all methods of a service
 * with it, to check their scopes for example.
 *
 * @param client A client of the method's service.
 * @throws RpcError when the call fails.
 */
export async function callWithEmpty(client: object, method: DescMethod): Promise<unknown> {
  const call = (client as Record<string, (request: object) => unknown>)[method.localName];
  if (!call) throw new Error(`the client has no method ${method.localName}`);
  const response = call(hasRequestStream(method) ? [{}] : {});
  if (response instanceof Promise) return await response;
  for await (const message of response as AsyncIterable<unknown>) return message;
  return undefined;
}
