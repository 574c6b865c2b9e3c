import type { DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { createJwtVerifier } from '../auth/jwt.ts';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { createAdmission } from '../chain/admission.ts';
import { serverChain } from '../chain/chain.ts';
import type { ErrorMap } from '../errors/rpc-error.ts';
import { logTelemetry } from '../telemetry/telemetry.ts';
import { serverCredentials } from '../tls/server-credentials.ts';
import { measureAdmission } from './admission-metrics.ts';
import { logProcessWarnings } from './process-warnings.ts';
import { watchReadiness } from './readiness.ts';
import type { ServerConfig } from './server-config.ts';
import { startServer } from './start-server.ts';

export interface StartServiceOptions<Service extends DescService> {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly service: Service;
  readonly implementation: ServiceImplementation<Service>;
  /** The service's one map from domain errors to statuses. */
  readonly errors: ErrorMap;
  /** The service's own, innermost: after all of the chain's, around the handler. */
  readonly interceptors?: readonly Interceptor[];
  /** Rejects while the service cannot work, because its database does not answer for instance. */
  readonly ready: () => Promise<unknown>;
}

export interface RunningService {
  readonly port: number;
  /** How long the app may take to close: the drain, and what is closed after it. For `runUntilSignal`. */
  readonly closeTimeoutMs: number;
  /** Takes no more calls, and waits for those under way. */
  drain(): Promise<void>;
}

/** How long a server that says NOT_SERVING goes on serving, so that load balancers hear of it first. */
const propagationPauseMs = 1000;
/** How long what an app closes after the drain may take: database connections, background work. */
const closeGraceMs = 3000;

/** Serves a service with everything that ours have in common: the chain, tokens, health, reflection, drain. */
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
  const server = await startServer({
    address: config.listenAddress,
    service: options.service,
    implementation: options.implementation,
    chain: (openStreams) =>
      serverChain({
        errors: options.errors,
        deadlineMode: config.deadlineMode,
        openStreams,
        tokens,
        admission,
        peers: config.peers,
        traceContext: config.traceContext,
        ...(options.interceptors && { own: options.interceptors }),
      }),
    credentials: await serverCredentials(config.tls, {
      developmentCertificates: !config.production,
      log,
    }),
    log,
    reflection: !config.production,
  });
  const readiness = await watchReadiness(options.ready, server.setReady);
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
