import type { DescMethod, Message } from '@bufbuild/protobuf';
import {
  type ConnectRouterOptions,
  createConnectRouter,
  createContextKey,
  type HandlerContext,
  type MethodImpl,
} from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { ServedMethod } from '../call/call-context.ts';
import type { Handler } from '../call/handler.ts';
import { hasResponseStream } from '../call/method-kind.ts';
import { methodPath } from '../call/method-name.ts';
import type { MethodChain } from '../incoming/method-chains.ts';
import type { RequestForm } from './request-form.ts';
import type { WebCall } from './web-call.ts';

/** A method on the web port. */
export interface WebMethod {
  /** The method by the protocol that serves it. */
  readonly served: Readonly<Record<RequestForm['protocol'], ServedMethod>>;
  /** Answers a request whose context has the call. */
  readonly handle: UniversalHandler;
}

/** Key of the call in the context of `@connectrpc/connect`. */
export const webCallKey = createContextKey<WebCall | undefined>(undefined, { description: 'the call' });

const neverUsed = () => Promise.reject(new Error('messages are decompressed by the call'));

/** Encodings that the library lists in the error for another one. The call itself decompresses requests. */
const encodings = ['gzip', 'deflate'].map((name) => ({ name, compress: neverUsed, decompress: neverUsed }));

/** Returns the methods by path: `/orders.v1.OrderService/GetOrder`. */
export function webMethods(
  chains: readonly MethodChain[],
  jsonOptions: ConnectRouterOptions['jsonOptions'],
): ReadonlyMap<string, WebMethod> {
  const options = { grpc: false, acceptCompression: encodings, ...(jsonOptions && { jsonOptions }) };
  const router = createConnectRouter(options);
  for (const { method, chain } of chains) router.rpc(method.desc, implementationOf(method.desc, chain));
  return new Map(
    chains.map(({ method }, index) => [
      methodPath(method.desc),
      {
        served: {
          connect: { ...method, protocol: 'connect' },
          grpc_web: { ...method, protocol: 'grpc_web' },
        },
        handle: router.handlers[index] as UniversalHandler,
      },
    ]),
  );
}

/** Returns the implementation for the library. It gets a stand-in for the request, see `standInBody`. */
function implementationOf(method: DescMethod, chain: Handler): MethodImpl<DescMethod> {
  const single = async (_request: unknown, context: HandlerContext): Promise<Message> => {
    const call = callOf(context);
    await call.run(chain, context);
    if (!call.answer) throw new Error(`${method.name} ended without a response`);
    return call.answer;
  };
  const stream = (_request: unknown, context: HandlerContext): AsyncIterable<Message> => {
    const call = callOf(context);
    return call.responses(call.run(chain, context));
  };
  return (hasResponseStream(method) ? stream : single) as MethodImpl<DescMethod>;
}

function callOf(context: HandlerContext): WebCall {
  const call = context.values.get(webCallKey);
  if (!call) throw new Error('the context has no call');
  return call;
}
