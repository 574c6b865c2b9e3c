import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Stream } from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';
import type { DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { Code, codeName } from '../errors/rpc-error.ts';
import { withoutValues } from '../grpc-js/internals/error-texts.ts';
import { requestIdKey } from '../grpc-js/server-call.ts';
import { methodPath } from '../grpc-js/service.ts';
import { type Arrival, arrivalOf } from '../grpc-js/sessions/arrivals.ts';
import { durationHistogram, methodNameAttributes, outcomeAttributes } from '../telemetry/call-telemetry.ts';

/** Notes the calls that grpc-js refuses without the chain. */
export interface UnservedCalls {
  /** Begins with the connections of this port. */
  start(port: number): void;
  stop(): void;
}

/** What conventions call a method that does not exist: callers can make up any number of names. */
const otherMethod = '_OTHER';
/** A path that can stand in the log: it has the form of a method's, and is short. Any other path is a caller's text. */
const methodPathPattern = /^\/[A-Za-z][\w.]{0,127}\/[A-Za-z]\w{0,63}$/;
const closed = 'http2.server.stream.close';

/**
 * Writes a line in the log, and measures `rpc.server.call.duration`, for each call that is refused before there is a
 * handler to call: its method does not exist, its message is too large or cannot be decompressed. grpc-js tells nobody of
 * them. Node does, of every HTTP/2 stream and what was sent on it; what the chain has refused bears its request id.
 */
export function createUnservedCalls(service: DescService, log: Logger): UnservedCalls {
  const durations = durationHistogram('server');
  const methods = new Set(service.methods.map(methodPath));
  let ownPort: number | undefined;

  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const arrival = arrivalOf(stream);
    const refusal = arrival?.connection.port === ownPort ? refusalOn(stream) : undefined;
    if (arrival && refusal) report(arrival, refusal);
  };
  const report = ({ startMs, path, connection }: Arrival, { code, error }: { code: Code; error: string }) => {
    const durationMs = performance.now() - startMs;
    const method = methods.has(path) ? path.slice(1) : undefined;
    log.info(
      {
        method: method ?? otherMethod,
        path: method === undefined && methodPathPattern.test(path) ? path : undefined,
        code: codeName(code),
        error,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        peer: connection.peer,
      },
      'call',
    );
    durations.record(durationMs / 1000, {
      ...methodNameAttributes(method ?? otherMethod),
      ...outcomeAttributes(code, false),
    });
  };
  return {
    start: (port) => {
      ownPort = port;
      subscribe(closed, onClosed);
    },
    stop: () => {
      unsubscribe(closed, onClosed);
    },
  };
}

/** The status that was sent with the headers, before any message; undefined for what the chain has answered. */
function refusalOn({ sentHeaders }: ServerHttp2Stream): { code: Code; error: string } | undefined {
  const { 'grpc-status': status, 'grpc-message': message, ':status': httpStatus } = sentHeaders ?? {};
  // A wrong content-type for instance.
  if (httpStatus !== undefined && httpStatus !== 200)
    return { code: Code.UNKNOWN, error: `answered HTTP ${httpStatus}` };
  // A stream that is answered OK with no message has its status there, too.
  if (status === undefined || Number(status) === Code.OK || sentHeaders?.[requestIdKey] !== undefined)
    return undefined;
  const text = withoutValues(decodeOrKeep(String(message)));
  return { code: Number(status), error: text ?? 'refused before its handler was called' };
}
