import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Stream } from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';
import type { DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { methodPath } from '../call/method-name.ts';
import { Code, codeName } from '../errors/rpc-error.ts';
import { withoutValues } from '../grpc-js/internals/error-texts.ts';
import { incomingStreamOf } from '../grpc-js/sessions/incoming-streams.ts';
import { requestIdKey } from '../incoming/incoming-call.ts';
import { durationHistogram, methodAttributes, outcomeAttributes } from '../telemetry/call-telemetry.ts';

/** The name of unknown methods in the semantic conventions: callers can invent any number of names. */
const otherMethod = '_OTHER';
/** Form of an unknown method's path that is logged. Any other path is arbitrary text of the caller. */
const methodPathPattern = /^\/[A-Za-z][\w.]{0,127}\/[A-Za-z]\w{0,63}$/;
const closed = 'http2.server.stream.close';

/** A call that no chain has served. */
interface UnhandledCall {
  readonly path: string;
  /** Time of arrival by `performance.now()`. */
  readonly startMs: number;
  readonly peer: string;
  /** `http` for a request of the web port whose protocol is not known. */
  readonly protocol: 'grpc' | 'http';
}

/** A status that was sent without the chain. */
interface Rejection {
  readonly code: Code;
  readonly error: string;
}

export type ReportUnhandled = (call: UnhandledCall, rejection: Rejection) => void;

/**
 * Returns a function that logs a call which no chain has served, and records its `rpc.server.call.duration`: the method does
 * not exist, for instance, or the content type is wrong.
 */
export function unhandledReport(services: readonly DescService[], log: Logger): ReportUnhandled {
  const durations = durationHistogram('server');
  const methods = new Set(services.flatMap(({ methods }) => methods.map(methodPath)));
  return ({ path, startMs, peer, protocol }, { code, error }) => {
    const durationMs = performance.now() - startMs;
    const method = methods.has(path) ? path.slice(1) : undefined;
    log.info(
      {
        method: method ?? otherMethod,
        protocol: protocol === 'grpc' ? undefined : protocol,
        path: method === undefined && methodPathPattern.test(path) ? path : undefined,
        code: codeName(code),
        error,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        peer,
      },
      'call',
    );
    durations.record(durationMs / 1000, {
      ...methodAttributes(method ?? otherMethod, protocol),
      ...outcomeAttributes(code, false),
    });
  };
}

/**
 * Reports each call that grpc-js rejects before it calls a handler. grpc-js has no event for such calls, so they are found by
 * the headers sent on each HTTP/2 stream. A status of the chain carries the request id, which tells the two apart.
 *
 * @param port The local port of the server, for gRPC.
 */
export function reportUnhandledCalls(report: ReportUnhandled, port: number): { stop(): void } {
  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const incoming = incomingStreamOf(stream);
    if (incoming?.connection.port !== port || incoming.connection.isWeb) return;
    const rejection = rejectionOn(stream);
    if (!rejection) return;
    const { path, startMs, connection } = incoming;
    report({ path, startMs, peer: connection.peer, protocol: 'grpc' }, rejection);
  };
  subscribe(closed, onClosed);
  return {
    stop: () => {
      unsubscribe(closed, onClosed);
    },
  };
}

/** Returns the status that grpc-js sent with the headers; undefined for a call that the chain answered. */
function rejectionOn({ sentHeaders }: ServerHttp2Stream): Rejection | undefined {
  const { 'grpc-status': status, 'grpc-message': message, ':status': httpStatus } = sentHeaders ?? {};
  // grpc-js rejects a wrong content type, for instance, with an HTTP status.
  if (httpStatus !== undefined && httpStatus !== 200)
    return { code: Code.UNKNOWN, error: `answered HTTP ${httpStatus}` };
  // A stream that ends OK without a message also has its status in the headers.
  if (status === undefined || Number(status) === Code.OK || sentHeaders?.[requestIdKey] !== undefined)
    return undefined;
  const text = withoutValues(decodeOrKeep(String(message)));
  return { code: Number(status), error: text ?? 'rejected before its handler was called' };
}
