import { createRegistry, type DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { file_google_rpc_error_details } from '../gen/google/rpc/error_details_pb.ts';
import { recordIncomingStreams } from '../grpc-js/sessions/incoming-streams.ts';
import type { ServerCallOptions } from '../incoming/incoming-call.ts';
import type { MethodChain } from '../incoming/method-chains.ts';
import type { ServerTls } from '../tls/server-credentials.ts';
import { createCors } from './cors.ts';
import { pathOf } from './http-messages.ts';
import { serveRequests } from './serve-request.ts';
import { peerOf } from './web-call.ts';
import type { WebLimits } from './web-limits.ts';
import { webMethods } from './web-methods.ts';
import { startWebServer, type WebServer, type WebServerOptions } from './web-server.ts';

/** A request that was answered without the chain. */
export interface UnhandledRequest {
  readonly path: string;
  readonly peer: string;
  readonly startMs: number;
  readonly httpStatus: number;
}

export interface StartWebOptions {
  readonly listen: WebServerOptions['listen'];
  /** Exact origins whose scripts may call, or `*` for all. */
  readonly origins: readonly string[];
  readonly tls?: ServerTls | undefined;
  readonly services: readonly DescService[];
  readonly chains: readonly MethodChain[];
  readonly callOptions: ServerCallOptions;
  readonly onUnhandled: (request: UnhandledRequest) => void;
  readonly log: Logger;
  readonly limits?: Partial<WebLimits> | undefined;
}

/**
 * Serves methods by Connect and gRPC-Web on a port of its own, for browsers and `curl`. The calls run through the chains
 * that the gRPC port runs.
 *
 * @throws Error when the address cannot be bound.
 */
export function startWeb(options: StartWebOptions): Promise<WebServer> {
  recordIncomingStreams();
  // For messages in an Any: error details in responses, and the messages of the contracts.
  const registry = createRegistry(file_google_rpc_error_details, ...options.services.map(({ file }) => file));
  const onRequest = serveRequests({
    methods: webMethods(options.chains, { registry }),
    cors: createCors(options.origins),
    callOptions: { ...options.callOptions, registry },
    onUnhandled: (request, startMs, httpStatus) =>
      options.onUnhandled({ path: pathOf(request), peer: peerOf(request), startMs, httpStatus }),
    log: options.log,
  });
  return startWebServer({ listen: options.listen, tls: options.tls, onRequest, limits: options.limits });
}
