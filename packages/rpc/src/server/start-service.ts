import type { Logger } from 'pino';
import { createJwtVerifier } from '../auth/jwt.ts';
import { rejectTokens } from '../auth/reject-tokens.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Interceptor } from '../call/handler.ts';
import { methodName } from '../call/method-name.ts';
import { isAnonymous, type Policies, resolvePolicies } from '../call/policy.ts';
import { createAdmission } from '../chain/admission.ts';
import { serverChain } from '../chain/chain.ts';
import type { ErrorMap } from '../errors/rpc-error.ts';
import { logProcessWarnings } from '../logging/process-warnings.ts';
import { logTelemetry } from '../telemetry/telemetry.ts';
import { grpcCredentials, openServerTls } from '../tls/server-credentials.ts';
import { ListenError } from './listen-error.ts';
import { type MessageLimitOptions, resolveMessageLimits } from './message-limits.ts';
import { watchReadiness } from './readiness.ts';
import type { ServedService } from './served-service.ts';
import type { ServerConfig } from './server-config.ts';
import { measureAdmission } from './server-metrics.ts';
import { startServer } from './start-server.ts';

export interface StartServiceOptions extends MessageLimitOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The services, each from `serve`. They share the chain, its limits, and the readiness. */
  readonly services: readonly ServedService[];
  /** Policies of services whose contract states none, for instance a contract of another organisation. */
  readonly policies?: Policies;
  /** Maps the domain errors of the services to statuses. */
  readonly errorMap: ErrorMap;
  /** Own interceptors, outermost first. They run innermost in the chain, around the handlers of all services. */
  readonly interceptors?: readonly Interceptor[];
  /** Rejects while the services cannot serve calls, for instance because its database does not respond. */
  readonly checkReadiness: () => Promise<unknown>;
}

export interface RunningService {
  readonly port: number;
  /** The local port of `WEB_LISTEN_ADDRESS`; undefined without it. */
  readonly webPort: number | undefined;
  /** Time that the app may take to close, the drain included. For `runUntilSignal`. */
  readonly closeTimeoutMs: number;
  /** Stops accepting calls and waits for the calls in flight. */
  drain(): Promise<void>;
}

/** Time for which a NOT_SERVING server continues to serve, until load balancers have noticed. */
const propagationPauseMs = 1000;
/** Time that an app may take after the drain, to close database connections and background work. */
const closeGraceMs = 3000;

/**
 * Serves services the way production needs it: the full chain, tokens, TLS, admission with metrics, readiness, logs of
 * libraries, and the drain. Resolves when the first readiness check has finished.
 *
 * @throws Error as `startServer`, and when a method needs a token but the config has no `auth`.
 */
export async function startService(options: StartServiceOptions): Promise<RunningService> {
  const { config, log } = options;
  logProcessWarnings(log);
  logTelemetry(log);
  using starting = new DisposableStack();
  const tokens = await openTokens(options, starting);
  const admission = createAdmission();
  measureAdmission(admission.snapshot);
  const tls = await openServerTls(config.tls, {
    developmentCertificates: !config.production,
    log,
  });
  const server = await startServer({
    address: config.listenAddress,
    services: options.services,
    ...(options.policies && { policies: options.policies }),
    ...resolveMessageLimits(options),
    chain: (openStreams) =>
      serverChain({
        errorMap: options.errorMap,
        deadlineMode: config.deadlineMode,
        openStreams,
        tokens,
        admission,
        peers: config.peers,
        traceContext: config.traceContext,
        ...(options.interceptors && { interceptors: options.interceptors }),
      }),
    credentials: grpcCredentials(tls),
    ...(config.web && { web: { ...config.web, tls } }),
    log,
    reflection: !config.production,
  }).catch((error) => {
    throw error instanceof ListenError ? withVariable(error, config) : error;
  });
  const readiness = await watchReadiness(options.checkReadiness, server.setReady);
  const services = options.services.map(({ service }) => service.typeName);
  log.info({ port: server.port, web_port: server.webPort, services }, 'serving');
  const running = starting.move();
  return {
    port: server.port,
    webPort: server.webPort,
    closeTimeoutMs: propagationPauseMs + config.drainTimeoutMs + closeGraceMs,
    drain: async () => {
      readiness.stop();
      await server.drain({
        pauseMs: config.production ? propagationPauseMs : 0,
        timeoutMs: config.drainTimeoutMs,
      });
      running.dispose();
    },
  };
}

/** Names the variable of the address that the server cannot listen on. */
function withVariable({ message, address, cause }: ListenError, { web }: ServerConfig): Error {
  const variable = address === web?.address ? 'WEB_LISTEN_ADDRESS' : 'LISTEN_ADDRESS';
  return new Error(`${message}: set ${variable} to another address`, { cause });
}

/** Returns the verifier of the tokens, which `starting` closes. A server without `auth` rejects every token. */
async function openTokens(
  { config, log, services, policies }: StartServiceOptions,
  starting: DisposableStack,
): Promise<TokenVerifier> {
  if (config.auth) {
    const { production, auth } = config;
    const tokens = await createJwtVerifier({ ...auth, developmentKeys: !production, now: Date.now, log });
    return starting.adopt(tokens, (each) => each.close());
  }
  const served = services.map(({ service }) => service);
  const policyOf = resolvePolicies(served, policies);
  const guarded = served.flatMap(({ methods }) => methods).find((method) => !isAnonymous(policyOf(method)));
  if (guarded)
    throw new Error(
      `${methodName(guarded)} needs a token: set AUTH_JWKS, AUTH_ISSUER and AUTH_AUDIENCE, or make the method anonymous in its policy`,
    );
  return rejectTokens;
}
