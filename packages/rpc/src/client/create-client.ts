import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { ChannelCredentials, Client as GrpcClient } from '@grpc/grpc-js';
import type { MethodInfo } from '../call/call-context.ts';
import { methodName } from '../call/method-name.ts';
import { type Policies, resolvePolicies } from '../call/policy.ts';
import { isSecure } from '../grpc-js/internals/secure-channel-credentials.ts';
import { isLoopback, requireSecureOrLoopback } from '../tls/loopback.ts';
import type { Balancing } from './balancing/balancing.ts';
import { channelOptionsOf, defaultMaxMessageBytes } from './channel-options.ts';
import type { TokenSource } from './credentials/token-source.ts';
import type { Hedging } from './hedging.ts';
import type { CallOptions } from './outgoing-call/call-options.ts';
import {
  bidiStreamingMethod,
  type ClientCalls,
  clientStreamingMethod,
  serverStreamingMethod,
  unaryMethod,
} from './outgoing-call/methods.ts';
import { type ClientTracing, clientTracing } from './outgoing-call/tracing.ts';
import { channelTarget } from './resolving/name-targets.ts';
import { serviceConfigOf } from './service-config.ts';

export interface CreateClientOptions<Service extends DescService> {
  /** The service's address in gRPC's naming: `dns:///inventory:50052`, `127.0.0.1:50052`, `unix:/run/x.sock`. */
  readonly target: string;
  /** Bearer token of every call. Rejected without TLS for a target on another machine. */
  readonly token?: TokenSource | undefined;
  /** TLS. Default: plain text. Clients share connections only if they share this object. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Policies of methods whose contract states none. A client uses the deadlines. */
  readonly policies?: Policies | undefined;
  /** Balancing of calls over the replicas. Default: `round_robin`. */
  readonly balancing?: Balancing | undefined;
  /** Methods to hedge, which are not retried as well. Default: none. */
  readonly hedging?: Hedging<Service> | undefined;
  /**
   * Maximum size of a request message in bytes, before its compression. A larger one fails its call with
   * RESOURCE_EXHAUSTED, and is not sent. Default: 4 MiB, which servers in most languages accept.
   */
  readonly maxRequestBytes?: number | undefined;
  /**
   * Maximum size of a response message in bytes, after its decompression. A larger one ends its call with
   * RESOURCE_EXHAUSTED. Default: 4 MiB.
   */
  readonly maxResponseBytes?: number | undefined;
  /**
   * Compresses requests, and permits the server to compress responses: otherwise the client sends no
   * `grpc-accept-encoding`. Servers on grpc-js, those of this package included, do not compress responses. Default: no
   * compression. It costs processor time, so it pays for large messages over slow networks.
   */
  readonly compression?: 'gzip' | 'deflate' | undefined;
}

/** The methods of a service, which return promises and async iterables and throw RpcError. Disposing it closes its channel. */
export type Client<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: ClientMethod<Service['method'][Name]>;
} & Disposable;

type ClientMethod<Method extends DescMethod> = {
  unary: (request: In<Method>, options?: CallOptions) => Promise<Out<Method>>;
  server_streaming: (request: In<Method>, options?: CallOptions) => AsyncGenerator<Out<Method>, void>;
  client_streaming: (requests: Many<In<Method>>, options?: CallOptions) => Promise<Out<Method>>;
  bidi_streaming: (requests: Many<In<Method>>, options?: CallOptions) => AsyncGenerator<Out<Method>, void>;
}[Method['methodKind']];

type In<Method extends DescMethod> = MessageInitShape<Method['input']>;
type Out<Method extends DescMethod> = MessageShape<Method['output']>;
type Many<T> = AsyncIterable<T> | Iterable<T>;

/**
 * Creates a typed client of a service. The contract sets each method's deadline, which the call and the call that is being
 * served can shorten, and its retries. Clients of one target share connections, which are closed with the last of them:
 * create one client for each service, and keep it. Clients with different credentials objects share none; all other options
 * may differ.
 *
 * Its calls reject with RpcError, and with the caller's own error if the source of the requests, `onHeaders` or `onTrailers`
 * throws. A call after its disposal is FAILED_PRECONDITION.
 *
 * @throws Error when a token would be sent to another machine in plain text, when a method has no policy or two, when a
 * policy in code belongs to no method, for a method that must not be hedged, for a limit that is not a whole number over 0,
 * and for an unknown compression.
 */
export function createClient<Service extends DescService>(
  service: Service,
  options: CreateClientOptions<Service>,
): Client<Service> {
  const { target, token, credentials = ChannelCredentials.createInsecure(), compression } = options;
  const { maxRequestBytes = defaultMaxMessageBytes, maxResponseBytes = defaultMaxMessageBytes } = options;
  requireLimit('maxRequestBytes', maxRequestBytes);
  requireLimit('maxResponseBytes', maxResponseBytes);
  const isEncrypted = isSecure(credentials);
  if (token) requireSecureOrLoopback(target, isEncrypted);
  if (compression !== undefined && compression !== 'gzip' && compression !== 'deflate')
    throw new Error(`compression must be 'gzip' or 'deflate'`);
  const policies = resolvePolicies([service], options.policies);
  const grpc = new GrpcClient(channelTarget(target), credentials, {
    ...channelOptionsOf({ maxResponseBytes, compression }),
    'grpc.service_config': serviceConfigOf(service, options),
  });
  const isReadable = !isEncrypted && !isLoopback(target);
  const calls: ClientCalls = {
    grpc,
    token,
    maxRequestBytes,
    noAuthorization: token
      ? 'the token source sets it'
      : isReadable
        ? 'the channel is not encrypted'
        : undefined,
  };
  const tracing = clientTracing(target);
  const methods = service.methods.map((desc) => [
    desc.localName,
    clientMethod(calls, tracing, { desc, name: methodName(desc), policy: policies(desc) }),
  ]);
  return { ...Object.fromEntries(methods), [Symbol.dispose]: () => grpc.close() };
}

function requireLimit(name: string, bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new Error(`${name} must be a whole number over 0`);
}

function clientMethod(calls: ClientCalls, tracing: ClientTracing, method: MethodInfo) {
  switch (method.desc.methodKind) {
    case 'unary':
      return tracing.unaryResponse(method, unaryMethod(calls, method));
    case 'server_streaming':
      return tracing.streamResponse(method, serverStreamingMethod(calls, method));
    case 'client_streaming':
      return tracing.unaryResponse(method, clientStreamingMethod(calls, method));
    case 'bidi_streaming':
      return tracing.streamResponse(method, bidiStreamingMethod(calls, method));
  }
}
