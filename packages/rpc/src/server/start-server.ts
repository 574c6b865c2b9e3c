import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Interceptor } from '../call/handler.ts';
import { methodName } from '../call/method-name.ts';
import { type Policies, resolvePolicies } from '../call/policy.ts';
import { unauthenticatedChain } from '../chain/chain.ts';
import { createOpenStreams, type OpenStreams } from '../chain/open-streams.ts';
import { Channelz } from '../gen/grpc/channelz/v1/channelz_pb.ts';
import { Health } from '../gen/grpc/health/v1/health_pb.ts';
import { addMethods } from '../grpc-js/add-service.ts';
import { startOnHeaders } from '../grpc-js/grpc-call.ts';
import { bindErrorReasons } from '../grpc-js/internals/error-texts.ts';
import { setHeaderOptions } from '../grpc-js/internals/grpc-js-internals.ts';
import { logGrpcJs, silenceGrpcJs } from '../grpc-js/internals/grpc-js-log.ts';
import { maxHeaderListBytes } from '../grpc-js/sessions/incoming-streams.ts';
import { limitUnauthenticatedConnections } from '../grpc-js/sessions/unauthenticated-connections.ts';
import { methodChains } from '../incoming/method-chains.ts';
import { createUnflushedCalls } from '../incoming/unflushed-calls.ts';
import { createMemoryBudget } from '../limits/memory-budget.ts';
import { serverLimits } from '../limits/server-limits.ts';
import { addChannelz } from './built-in/channelz.ts';
import { createHealth } from './built-in/health.ts';
import { addReflection, reflectionServices } from './built-in/reflection.ts';
import { ListenError } from './listen-error.ts';
import { type MessageLimitOptions, requireRequestLimit, resolveMessageLimits } from './message-limits.ts';
import { requireDistinctServices, type ServedService } from './served-service.ts';
import { measureMemoryBudget } from './server-metrics.ts';
import { startWebPort, type WebOptions } from './start-web-port.ts';
import { reportUnhandledCalls, unhandledReport } from './unhandled-calls.ts';
import { bindUnixSocket, unixSocketPath } from './unix-socket.ts';

export interface StartServerOptions extends MessageLimitOptions {
  /** `host:port` or `unix:/path`; port 0 means a free port. */
  readonly address: string;
  /** The services, each from `serve`. */
  readonly services: readonly ServedService[];
  /** Policies of services whose contract states none. */
  readonly policies?: Policies;
  /** Returns the chain of the services, outermost first. The drain ends the streams in `openStreams`. */
  readonly chain: (openStreams: OpenStreams) => readonly Interceptor[];
  /** The web port; off when absent. It needs the package `@connectrpc/connect`. */
  readonly web?: WebOptions;
  /** From `serverCredentials`; plain text when absent. */
  readonly credentials?: ServerCredentials;
  readonly log: Logger;
  /** Whether to serve reflection and channelz. Both expose internals to unauthenticated callers: not for production. */
  readonly reflection: boolean;
  /** Returns an id for a call without a request id; random when absent. */
  readonly newRequestId?: () => string;
  /** Overrides of `serverLimits`, such as times that a test can wait for. */
  readonly limits?: ServerOptions;
}

export interface RunningServer {
  /** The local port; 1 on a Unix socket. */
  readonly port: number;
  /** The local port of the web port; undefined without one. */
  readonly webPort: number | undefined;
  /** Sets whether the services are ready for calls. They start as not ready. */
  setReady(ready: boolean): void;
  /**
   * Stops the server: reports NOT_SERVING, waits `pauseMs` for load balancers to notice, ends the streams, and waits for
   * the calls in flight. Calls that are not finished within `timeoutMs` are cut off.
   */
  drain(options: { pauseMs: number; timeoutMs: number }): Promise<void>;
}

/**
 * Serves services behind one chain, with health and `serverLimits`. `startService` is the production set-up around it.
 *
 * @throws Error with a one-line message when the address cannot be bound, when a method has no policy, when a policy in code
 * belongs to no method, when a service is listed twice or added by the server itself, or when the limits of messages do not fit
 * each other.
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { log, credentials = ServerCredentials.createInsecure() } = options;
  const services = options.services.map(({ service }) => service);
  requireDistinctServices(
    services,
    options.reflection ? [Health, Channelz, ...reflectionServices] : [Health],
  );
  const policies = resolvePolicies(services, options.policies);
  const { memoryBudgetBytes, ...messageLimits } = resolveMessageLimits(options);
  for (const method of services.flatMap(({ methods }) => methods))
    requireRequestLimit(
      { name: methodName(method), policy: policies(method) },
      messageLimits.maxRequestBytes,
    );
  const server = new Server({
    ...serverLimits,
    'grpc.max_receive_message_length': messageLimits.maxRequestBytes,
    'grpc.max_send_message_length': messageLimits.maxResponseBytes,
    ...options.limits,
    interceptors: [startOnHeaders],
  });
  setHeaderOptions(server, maxHeaderListBytes);
  const openStreams = createOpenStreams();
  const unflushed = createUnflushedCalls();
  const memory = createMemoryBudget(memoryBudgetBytes);
  measureMemoryBudget(memory.snapshot);
  const callOptions = {
    log,
    newRequestId: options.newRequestId ?? randomUUID,
    memory,
    unflushed,
    ...messageLimits,
  };

  const chain = options.chain(openStreams);
  const chains = options.services.flatMap(({ service, implementation }) => {
    const own = methodChains(service, implementation, chain, policies);
    addMethods(server, service, own, callOptions);
    return own;
  });
  const builtInChain = unauthenticatedChain(openStreams);
  const health = createHealth(services.map(({ typeName }) => typeName));
  health.addToServer(server, builtInChain, callOptions);
  if (options.reflection) {
    addReflection(server, [...services, Health, Channelz], builtInChain, callOptions);
    addChannelz(server, builtInChain, callOptions);
  }

  silenceGrpcJs();
  const port = await listen(server, options.address, credentials);
  logGrpcJs(log);
  const report = unhandledReport(services, log);
  const web =
    options.web &&
    (await startWebPort(options.web, {
      services,
      chains,
      callOptions,
      report,
      log,
    }).catch((error: Error) => {
      server.forceShutdown();
      throw error;
    }));
  const unhandledCalls = reportUnhandledCalls(report, port);
  const unauthenticatedConnections = limitUnauthenticatedConnections(port, 'grpc');
  return {
    port,
    webPort: web?.port,
    setReady: health.setReady,
    drain: async ({ pauseMs, timeoutMs }) => {
      health.setReady(false);
      await sleep(pauseMs);
      openStreams.end();
      await Promise.all([shutdown(server, timeoutMs), web?.close(timeoutMs)]);
      unhandledCalls.stop();
      unauthenticatedConnections.stop();
      unflushed.close();
    },
  };
}

async function listen(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  const path = unixSocketPath(address);
  const bind = () => bindAddress(server, address, credentials);
  try {
    return path === undefined ? await bind() : await bindUnixSocket(path, bind);
  } catch (error) {
    throw new ListenError(address, error);
  }
}

function bindAddress(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(new Error(bindErrorReasons(error.message)));
      else resolve(port);
    });
  });
}

/** Waits for the calls in flight, and ends them after `timeoutMs`. `tryShutdown` alone waits without a limit. */
async function shutdown(server: Server, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => server.forceShutdown(), timeoutMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(timer);
}
