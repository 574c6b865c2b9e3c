import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { durationHistogram, methodNameAttributes, outcomeAttributes } from '../call-telemetry.ts';
import { Code, codeName } from '../errors.ts';

/** Notes the calls that grpc-js ends without the chain. */
export interface UnservedCalls {
  /** For the server's own list of interceptors. */
  readonly interceptor: ServerInterceptor;
  /** Begins with the connections of this port. */
  start(port: number): void;
  stop(): void;
}

/** A call as it came in. */
interface Arrival {
  readonly startMs: number;
  readonly peer: string;
  readonly path: string;
  /** `inventory.v1.InventoryService/GetStock`, once it is known to exist. */
  method: string | undefined;
  isServed: boolean;
}

/** What conventions call a method that does not exist: callers can make up any number of names. */
const otherMethod = '_OTHER';
const maxPathLength = 256;
/** What grpc-js gives a Unix socket for a port; Node gives it none. */
const unixPort = 1;

const [created, closed] = ['http2.server.stream.created', 'http2.server.stream.close'];

/**
 * Writes a line in the log, and measures `rpc.server.call.duration`, for each call that ends before there is a handler
 * to call: its method does not exist, its message is too large or cannot be decompressed, or its caller has gone before
 * the request was whole. grpc-js tells nobody of them. Node does, of every HTTP/2 stream and what was sent on it, and
 * the interceptor tells which of these have reached a handler.
 */
export function createUnservedCalls(log: Logger): UnservedCalls {
  const durations = durationHistogram('server');
  const arrivals = new WeakMap<ServerHttp2Stream, Arrival>();
  // Node makes a stream known to grpc-js in the context that it was created in: so the interceptor finds its arrival.
  const current = new AsyncLocalStorage<Arrival>();
  let ownPort: number | undefined;

  const onCreated = (message: unknown) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    const { localPort = unixPort, remoteAddress, remotePort } = stream.session?.socket ?? {};
    if (localPort !== ownPort) return;
    const arrival: Arrival = {
      startMs: performance.now(),
      peer: remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`,
      path: String(headers[':path']).slice(0, maxPathLength),
      method: undefined,
      isServed: false,
    };
    arrivals.set(stream, arrival);
    current.enterWith(arrival);
  };
  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const arrival = arrivals.get(stream);
    if (arrival && !arrival.isServed) report(arrival, answerOn(stream));
  };
  const report = ({ startMs, peer, path, method }: Arrival, { code, error }: ReturnType<typeof answerOn>) => {
    const durationMs = performance.now() - startMs;
    log.info(
      {
        method: method ?? path,
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
    interceptor: ({ path, requestStream }, call) => {
      const arrival = current.getStore();
      if (!arrival) return new ServerInterceptingCall(call);
      arrival.method = path.slice(1);
      const serve = () => {
        arrival.isServed = true;
      };
      return new ServerInterceptingCall(call, {
        start: (next) => {
          // What takes one message is called when there is one and no more to come, and all else at once.
          if (requestStream) serve();
          let hasMessage = false;
          next({
            onReceiveMessage: (message, next) => {
              hasMessage = true;
              next(message);
            },
            onReceiveHalfClose: (next) => {
              if (hasMessage) serve();
              next();
            },
          });
        },
      });
    },
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

/** The status that was sent on a stream that has ended, with its headers: no message came before. */
function answerOn({ sentHeaders }: ServerHttp2Stream): { code: Code; error: string } {
  if (!sentHeaders) return { code: Code.CANCELLED, error: 'ended before its request was whole' };
  const { 'grpc-status': status, 'grpc-message': message, ':status': httpStatus } = sentHeaders;
  // A wrong content-type for instance.
  if (status === undefined) return { code: Code.UNKNOWN, error: `answered HTTP ${httpStatus}` };
  return { code: Number(status), error: decodeOrKeep(String(message)) };
}
