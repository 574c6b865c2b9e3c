import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channelz } from '@acme/gen/grpc/channelz/v1/channelz_pb';
import { Health } from '@acme/gen/grpc/health/v1/health_pb';
import type { DescService } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { openChain } from '../chain/chain.ts';
import { createOpenStreams, type OpenStreams } from '../chain/open-streams.ts';
import { setHeaderOptions } from '../grpc-js/internals/grpc-js-internals.ts';
import { hushGrpc, logGrpc } from '../grpc-js/internals/grpc-log.ts';
import { createHeldBytes } from '../grpc-js/messages/held-bytes.ts';
import { addService } from '../grpc-js/service.ts';
import { maxHeaderListBytes } from '../grpc-js/sessions/arrivals.ts';
import { createStrangerBudget } from '../grpc-js/sessions/stranger-budget.ts';
import { createUnflushedCalls } from '../grpc-js/sessions/unflushed-calls.ts';
import { serverBounds } from '../limits/server-limits.ts';
import { measureHeldBytes } from './admission-metrics.ts';
import { addChannelz } from './services/channelz.ts';
import { createHealth } from './services/health.ts';
import { addReflection } from './services/reflection.ts';
import { createUnservedCalls } from './unhandled-calls.ts';
import { bindUnixSocket, unixSocketPath } from './unix-socket.ts';

export interface StartServerOptions<Service extends DescService> {
  /** `host:port` or `unix:/path`; port 0 takes a free one. */
  readonly address: string;
  readonly service: Service;
  readonly implementation: ServiceImplementation<Service>;
  /** Returns the chain, outermost first, from the streams that the server ends when it drains. */
  readonly chain: (openStreams: OpenStreams) => readonly Interceptor[];
  /** From `serverCredentials`; plain text when absent. */
  readonly credentials?: ServerCredentials;
  readonly log: Logger;
  /** Whether to answer reflection and channelz, which tell strangers much; not in production. */
  readonly reflection: boolean;
  /** For a call that brings no request id; random when absent. */
  readonly newRequestId?: () => string;
  /** What is other than every server's bounds: times that a test can wait for. */
  readonly bounds?: ServerOptions;
  /** Limit of the bytes that all calls hold together, for a test that can fill it; 32 MiB when absent. */
  readonly maxHeldBytes?: number;
}

export interface RunningServer {
  /** The port that it listens on; 1 on a Unix socket. */
  readonly port: number;
  /** Says whether the service is ready for calls. It starts as not ready. */
  setReady(ready: boolean): void;
  /**
   * Stops: says NOT_SERVING, leaves load balancers a moment to notice, ends the streams, and waits for the calls under
   * way. What is not done within the time is cut off.
   */
  drain(options: { pauseMs: number; timeoutMs: number }): Promise<void>;
}

/**
 * Serves a service behind its interceptors, with health, and the bounds of every server of ours.
 *
 * @throws Error in one line when the address cannot be listened on, or a method has no policy.
 */
export async function startServer<Service extends DescService>(
  options: StartServerOptions<Service>,
): Promise<RunningServer> {
  const strangers = createStrangerBudget();
  const unserved = createUnservedCalls(options.service, options.log);
  const server = new Server({ ...serverBounds, ...options.bounds });
  setHeaderOptions(server, maxHeaderListBytes);
  const openStreams = createOpenStreams();
  const health = createHealth([options.service.typeName]);
  const unflushed = createUnflushedCalls();
  const held = createHeldBytes(options.maxHeldBytes);
  measureHeldBytes(held.snapshot);
  const callOptions = {
    log: options.log,
    newRequestId: options.newRequestId ?? randomUUID,
    held,
    unflushed,
  };
  addService(server, options.service, options.implementation, options.chain(openStreams), callOptions);
  const openInterceptors = openChain(openStreams);
  health.addToServer(server, openInterceptors, callOptions);
  if (options.reflection) {
    addReflection(server, [options.service, Health, Channelz], openInterceptors, callOptions);
    addChannelz(server, openInterceptors, callOptions);
  }
  hushGrpc();
  const port = await listen(
    server,
    options.address,
    options.credentials ?? ServerCredentials.createInsecure(),
  );
  logGrpc(options.log);
  unserved.start(port);
  strangers.start(port);
  return {
    port,
    setReady: health.setReady,
    drain: async ({ pauseMs, timeoutMs }) => {
      health.setReady(false);
      await sleep(pauseMs);
      openStreams.end();
      await shutdown(server, timeoutMs);
      unserved.stop();
      strangers.stop();
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
    throw new Error(`cannot listen on ${address}: ${error instanceof Error ? error.message : error}`);
  }
}

function bindAddress(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      // What Node said of each address that the name stands for is in brackets.
      const [, reasons] = /\[(.*)\]$/.exec(error?.message ?? '') ?? [];
      if (error) reject(new Error(reasons ?? error.message));
      else resolve(port);
    });
  });
}

/** Waits for the calls under way; `tryShutdown` alone would wait for ever on one that does not end. */
async function shutdown(server: Server, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => server.forceShutdown(), timeoutMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(timer);
}
