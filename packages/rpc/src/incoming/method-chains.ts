import { create, type DescMethod, type DescService, type Message } from '@bufbuild/protobuf';
import type { MethodInfo } from '../call/call-context.ts';
import type { Handler, Interceptor, ServerCall, ServiceImplementation } from '../call/handler.ts';
import { methodName } from '../call/method-name.ts';
import type { Policy } from '../call/policy.ts';

/** A method, and the chain that serves its calls. */
export interface MethodChain {
  readonly method: MethodInfo;
  readonly chain: Handler;
}

/**
 * Returns the methods of a service, each with its handler behind the interceptors, the first of which is the outermost.
 *
 * @throws Error that names a method without a policy, or without a finite deadline.
 */
export function methodChains<Service extends DescService>(
  service: Service,
  implementation: ServiceImplementation<Service>,
  interceptors: readonly Interceptor[],
  policies: (method: DescMethod) => Policy,
): MethodChain[] {
  return service.methods.map((desc) => {
    const handle = implementation[desc.localName as keyof typeof implementation];
    const method = { desc, name: methodName(desc), policy: policies(desc) };
    if (!Number.isFinite(method.policy.deadlineMs))
      throw new Error(`${method.name}: a server needs a finite deadlineMs in \`policies\``);
    return { method, chain: chainOf(interceptors, dispatchTo(desc, handle.bind(implementation))) };
  });
}

/** Wraps a handler in a chain; the first interceptor is the outermost. */
function chainOf(interceptors: readonly Interceptor[], handler: Handler): Handler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handler);
}

/** Returns the innermost handler, which calls the service's function for the method's kind. */
function dispatchTo(
  method: DescMethod,
  implementation: (request: never, call: ServerCall) => unknown,
): Handler {
  const serve = implementation as (request: Message | AsyncIterable<Message>, call: ServerCall) => unknown;
  const respondWith = (call: ServerCall, response: unknown) =>
    call.respond(create(method.output, response as Message));
  switch (method.methodKind) {
    case 'unary':
    case 'client_streaming':
      return async (call) => {
        await respondWith(call, await serve(await call.request(), call));
      };
    case 'server_streaming':
    case 'bidi_streaming':
      return async (call) => {
        // Awaited, because an async function that is not a generator may reject. The rejection would end the process.
        for await (const response of (await serve(await call.request(), call)) as AsyncIterable<Message>)
          await respondWith(call, response);
      };
  }
}
