import type { DescService } from '@bufbuild/protobuf';
import type { ChannelCredentials, ServerCredentials, ServerOptions } from '@grpc/grpc-js';
import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Principal } from '../call/call-context.ts';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { type Policies, policiesOf, policyOf } from '../call/policy.ts';
import { serverChain } from '../chain/chain.ts';
import type { DeadlineMode } from '../chain/deadline.ts';
import type { OpenStreams } from '../chain/open-streams.ts';
import type { TraceContextTrust } from '../chain/tracing.ts';
import { type Client, createClient } from '../client/create-client.ts';
import { Code, type ErrorMap, RpcError } from '../errors/rpc-error.ts';
import { type MessageLimitOptions, resolveMessageLimits } from '../server/message-limits.ts';
import { type ServedService, serve } from '../server/served-service.ts';
import { type RunningServer, startServer } from '../server/start-server.ts';
import type { WebOptions } from '../server/start-web-port.ts';
import { createFakes, type Fakes } from './fakes.ts';
import { collectLog } from './telemetry/collect-log.ts';

export interface TestServerOptions extends MessageLimitOptions {
  /** Principal of every token; the subject `tester` with every scope of the contracts when absent. */
  readonly principal?: Principal;
  /** Verifies tokens; every token is the principal's when absent. */
  readonly verifyToken?: TokenVerifier['verify'];
  /** Callers that authenticate by certificate instead of a token. */
  readonly peers?: PeerScopes;
  /** Callers whose trace context is continued; all when absent. */
  readonly traceContext?: TraceContextTrust;
  /** TLS for the server and its client; plain text when absent. */
  readonly credentials?: { readonly server: ServerCredentials; readonly channel: ChannelCredentials };
  readonly errorMap?: ErrorMap;
  readonly deadlineMode?: DeadlineMode;
  /** Further services of the server, each from `serve`. `target` is the address for their clients. */
  readonly otherServices?: readonly ServedService[];
  /** Policies of services whose contract states none. */
  readonly policies?: Policies;
  /** Modifies the production chain: `(chain) => [...chain, mine]`. */
  readonly modifyChain?: (chain: Interceptor[]) => Interceptor[];
  readonly reflection?: boolean;
  /** Opens a web port. `webUrl` is its URL. */
  readonly web?: Partial<WebOptions>;
  /** Returns an id for a call without a request id; random when absent. */
  readonly newRequestId?: () => string;
  /** Overrides of `serverLimits`. */
  readonly limits?: ServerOptions;
}

export interface TestServer<Service extends DescService> extends AsyncDisposable {
  /** A client that sends the token `test-token`. */
  readonly client: Client<Service>;
  /** The address of the server, for further clients. */
  readonly target: string;
  /** The URL of the web port: `http://127.0.0.1:8051`. Empty without one. */
  readonly webUrl: string;
  readonly running: RunningServer;
  /** The parsed log lines of the server so far. */
  readonly logLines: readonly Record<string, unknown>[];
  /** The clock and the ids of the implementation. */
  readonly fakes: Fakes;
}

/** Some of the service's methods, or a function that creates them with fakes. */
type Implementation<Service extends DescService> =
  | Partial<ServiceImplementation<Service>>
  | ((fakes: Fakes) => Partial<ServiceImplementation<Service>>);

/**
 * Serves some methods of a service on a free port, behind the production chain, and creates a client. Omitted methods
 * answer UNIMPLEMENTED. Disposing cuts off calls that are still running:
 *
 *     await using server = await startTestServer(EchoService, { getEcho: async () => ({ echo }) });
 *     const { echo } = await server.client.getEcho({ key: 'A' });
 *
 * A function gets fakes for the clock and the ids: `({ now, newId }) => createEchoService({ now, newId })`. Deadlines
 * still use the real clock, on both sides.
 */
export async function startTestServer<Service extends DescService>(
  service: Service,
  implementation: Implementation<Service>,
  options: TestServerOptions = {},
): Promise<TestServer<Service>> {
  const { log, lines: logLines } = collectLog();
  const fakes = createFakes();
  const served = typeof implementation === 'function' ? implementation(fakes) : implementation;
  const services = [
    serve(service, { ...unimplemented(service), ...served }),
    ...(options.otherServices ?? []),
  ];
  const { principal = { subject: 'tester', scopes: scopesOf(services, options.policies) } } = options;
  const chainOf = (openStreams: OpenStreams) =>
    serverChain({
      openStreams,
      errorMap: options.errorMap ?? (() => undefined),
      deadlineMode: options.deadlineMode ?? 'default',
      tokens: { cached: () => undefined, verify: options.verifyToken ?? (async () => principal) },
      ...(options.peers && { peers: options.peers }),
      traceContext: options.traceContext ?? 'all',
    });
  const running = await startServer({
    address: '127.0.0.1:0',
    services,
    ...(options.policies && { policies: options.policies }),
    chain: (openStreams) => {
      const chain = chainOf(openStreams);
      return options.modifyChain?.(chain) ?? chain;
    },
    log,
    reflection: options.reflection ?? false,
    ...(options.web && { web: { address: '127.0.0.1:0', origins: [], ...options.web } }),
    ...(options.credentials && { credentials: options.credentials.server }),
    ...(options.newRequestId && { newRequestId: options.newRequestId }),
    ...(options.limits && { limits: options.limits }),
    ...resolveMessageLimits(options),
  });
  const target = `127.0.0.1:${running.port}`;
  const client = createClient(service, {
    target,
    token: () => 'test-token',
    policies: policiesOf(service, options.policies ?? {}),
    ...(options.credentials && { credentials: options.credentials.channel }),
  });
  return {
    client,
    target,
    webUrl:
      running.webPort === undefined
        ? ''
        : `${options.web?.tls ? 'https' : 'http'}://127.0.0.1:${running.webPort}`,
    running,
    logLines,
    fakes,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await running.drain({ pauseMs: 0, timeoutMs: 0 });
    },
  };
}

function scopesOf(services: readonly ServedService[], policies: Policies | undefined): Set<string> {
  const methods = services.flatMap(({ service }) => service.methods);
  return new Set(methods.flatMap((method) => policyOf(method, policies).scopes));
}

function unimplemented<Service extends DescService>(service: Service): ServiceImplementation<Service> {
  const handlers = service.methods.map(({ localName }) => [
    localName,
    () => {
      throw new RpcError(Code.UNIMPLEMENTED, `the test does not serve ${localName}`);
    },
  ]);
  return Object.fromEntries(handlers);
}
