import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { ChannelCredentials, Client as GrpcClient } from '@grpc/grpc-js';
import type { MethodInfo } from '../call/call-context.ts';
import { policyOf } from '../call/policy.ts';
import { isSecure } from '../grpc-js/internals/secure-channel-credentials.ts';
import { isLoopback, requireSecureOrLoopback } from '../tls/require-secure-or-loopback.ts';
import type { Balancing } from './balancing/balancing.ts';
import { channelOptions } from './channel-options.ts';
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
import { serviceConfigOf } from './service-config.ts';

export interface CreateClientOptions<Service extends DescService> {
  /** Where the service is, in gRPC's naming: `dns:///inventory:50052`, `127.0.0.1:50052`, `unix:/run/x.sock`. */
  readonly target: string;
  /** The token to show. Refused for a target beyond this machine while the channel is not encrypted. */
  readonly token?: TokenSource | undefined;
  /** TLS; nothing is encrypted when absent. Clients share connections when they share this object. */
  readonly credentials?: ChannelCredentials | undefined;
  /** How calls are spread over the replicas; `round_robin` when absent. */
  readonly balancing?: Balancing | undefined;
  /** Methods to ask several replicas for; they are not retried besides. None when absent. */
  readonly hedging?: Hedging<Service> | undefined;
}

/** The methods of a service as promises and async iterables; they throw RpcError. Disposing it ends its channel. */
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
 * A typed client of a service, with what the contract says of each method: its deadline, unless the call or the call
 * that is being served allows less, and retries where it marks them as safe. Clients of one target share their
 * connections, which are closed with the last of them: make one a service, and keep it.
 *
 * @throws Error when it would send a token in plain text to another machine, a method has no policy, or one is to be
 * hedged that may not be.
 */
export function createClient<Service extends DescService>(
  service: Service,
  options: CreateClientOptions<Service>,
): Client<Service> {
  const { target, token, credentials = ChannelCredentials.createInsecure() } = options;
  const isEncrypted = isSecure(credentials);
  if (token) requireSecureOrLoopback(target, isEncrypted);
  const grpc = new GrpcClient(target, credentials, {
    ...channelOptions,
    'grpc.service_config': serviceConfigOf(service, options),
  });
  const isReadable = !isEncrypted && !isLoopback(target);
  const calls: ClientCalls = {
    grpc,
    token,
    noAuthorization: token
      ? 'the token source sets it'
      : isReadable
        ? 'the channel is not encrypted'
        : undefined,
  };
  const tracing = clientTracing(target);
  const methods = service.methods.map((desc) => [desc.localName, clientMethod(calls, tracing, desc)]);
  return { ...Object.fromEntries(methods), [Symbol.dispose]: () => grpc.close() };
}

function clientMethod(calls: ClientCalls, tracing: ClientTracing, desc: DescMethod) {
  const method: MethodInfo = { desc, name: `${desc.parent.typeName}/${desc.name}`, policy: policyOf(desc) };
  switch (desc.methodKind) {
    case 'unary':
      return tracing.unaryAnswered(method, unaryMethod(calls, method));
    case 'server_streaming':
      return tracing.streamAnswered(method, serverStreamingMethod(calls, method));
    case 'client_streaming':
      return tracing.unaryAnswered(method, clientStreamingMethod(calls, method));
    case 'bidi_streaming':
      return tracing.streamAnswered(method, bidiStreamingMethod(calls, method));
  }
}
