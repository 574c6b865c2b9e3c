import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';
import type { DescService } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { requestIdKey } from '../bridge/server-call.ts';
import { methodPath } from '../bridge/service.ts';
import { durationHistogram, methodNameAttributes, outcomeAttributes } from '../call-telemetry.ts';
import { Code, codeName } from '../errors.ts';
import { withoutValues } from './grpc-texts.ts';

/** Notes the calls that grpc-js refuses without the chain. */
export interface UnservedCalls {
  /** Begins with the connections of this port. */
  start(port: number): void;
  stop(): void;
}

/** A call as it came in. */
interface Arrival {
  readonly startMs: number;
  readonly peer: string;
  readonly path: string;
}

/** What conventions call a method that does not exist: callers can make up any number of names. */
const otherMethod = '_OTHER';
/** A path that can stand in the log: it has the form of a method's, and is short. Any other path is a caller's text. */
const methodPathPattern = /^\/[A-Za-z][\w.]{0,127}\/[A-Za-z]\w{0,63}$/;
/** What grpc-js gives a Unix socket for a port; Node gives it none. */
const unixPort = 1;

const [created, closed] = ['http2.server.stream.created', 'http2.server.stream.close'];

/**
 * Writes a line in the log, and measures `rpc.server.call.duration`, for each call that is refused before there is a
 * handler to call: its method does not exist, its message is too large or cannot be decompressed. grpc-js tells nobody of
 * them. Node does, of every HTTP/2 stream and what was sent on it; what the chain has refused bears its request id.
 */
export function createUnservedCalls(service: DescService, log: Logger): UnservedCalls {
  const durations = durationHistogram('server');
  const methods = new Set(service.methods.map(methodPath));
  const arrivals = new WeakMap<ServerHttp2Stream, Arrival>();
  // Of a connection, whose socket Node shows through a proxy: asked once, not for every call.
  const origins = new WeakMap<ServerHttp2Session, { port: number; peer: string }>();
  let ownPort: number | undefined;

  const originOf = (session: ServerHttp2Session) => {
    const { localPort = unixPort, remoteAddress, remotePort } = session.socket;
    return {
      port: localPort,
      peer: remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`,
    };
  };
  const onCreated = (message: unknown) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: Record<string, string> };
    if (!stream.session) return;
    const { port, peer } = origins.getOrInsertComputed(stream.session as ServerHttp2Session, originOf);
    if (port === ownPort)
      arrivals.set(stream, { startMs: performance.now(), peer, path: headers[':path'] ?? '' });
  };
  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const arrival = arrivals.get(stream);
    const refusal = arrival && refusalOn(stream);
    if (refusal) report(arrival, refusal);
  };
  const report = ({ startMs, peer, path }: Arrival, { code, error }: { code: Code; error: string }) => {
    const durationMs = performance.now() - startMs;
    const method = methods.has(path) ? path.slice(1) : undefined;
    log.info(
      {
        method: method ?? otherMethod,
        path: method === undefined && methodPathPattern.test(path) ? path : undefined,
        code: codeName(code),
        error,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        peer,
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
      subscribe(created, onCreated);
      subscribe(closed, onClosed);
    },
    stop: () => {
      unsubscribe(created, onCreated);
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
