import type { DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { createJwtVerifier } from '../auth/jwt.ts';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { createAdmission } from '../chain/admission.ts';
import { serverChain } from '../chain/chain.ts';
import type { ErrorMap } from '../errors/rpc-error.ts';
import { logProcessWarnings } from '../logging/process-warnings.ts';
import { logTelemetry } from '../telemetry/telemetry.ts';
import { serverCredentials } from '../tls/server-credentials.ts';
import { watchReadiness } from './readiness.ts';
import type { ServerConfig } from './server-config.ts';
import { measureAdmission } from './server-metrics.ts';
import { startServer } from './start-server.ts';

export interface StartServiceOptions<Service extends DescService> {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly service: Service;
  readonly implementation: ServiceImplementation<Service>;
  /** Maps the service's domain errors to statuses. */
  readonly errorMap: ErrorMap;
  /** The service's own interceptors, outermost first. They run innermost in the chain, around the handler. */
  readonly interceptors?: readonly Interceptor[];
  /** Rejects while the service cannot serve calls, for instance because its database does not respond. */
  readonly checkReadiness: () => Promise<unknown>;
}

export interface RunningService {
  readonly port: number;
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
 * Serves a service the way production needs it: the full chain, tokens, TLS, admission with metrics, readiness, logs of
 * libraries, and the drain. Resolves when the first readiness check has finished.
 */
export async function startService<Service extends DescService>(
  options: StartServiceOptions<Service>,
): Promise<RunningService> {
  const { config, log } = options;
  logProcessWarnings(log);
  logTelemetry(log);
  using starting = new DisposableStack();
  const tokens = starting.adopt(
    await createJwtVerifier({
      ...config.auth,
      developmentKeys: !config.production,
      now: Date.now,
      log,
    }),
    (each) => each.close(),
  );
  const admission = createAdmission();
  measureAdmission(admission.snapshot);
  const credentials = await serverCredentials(config.tls, {
    developmentCertificates: !config.production,
    log,
  });
  const server = await startServer({
    address: config.listenAddress,
    service: options.service,
    implementation: options.implementation,
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
    credentials,
    log,
    reflection: !config.production,
  });
  const readiness = await watchReadiness(options.checkReadiness, server.setReady);
  log.info({ port: server.port, service: options.service.typeName }, 'serving');
  const running = starting.move();
  return {
    port: server.port,
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
