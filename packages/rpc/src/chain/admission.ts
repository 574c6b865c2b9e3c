import type { Handler, Interceptor, ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import {
  type AdmissionLimit,
  createAdmissionLimit,
  type LimitBounds,
} from '../limits/adaptive-concurrency-limit.ts';
import { createShares } from '../limits/shares.ts';
import { createLateRejection } from './late-rejection.ts';

export interface AdmissionOptions extends Partial<LimitBounds> {
  /** How many streams may be open at once: 10,000 watches at some 40 kB each, and some room. */
  readonly maxStreams?: number;
  /** From 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

export interface AdmissionSnapshot {
  /** How many unary calls may be in flight now, and how many are. */
  readonly limit: number;
  readonly inFlight: number;
  /** Open streams, of all three kinds. */
  readonly streams: number;
  /** Calls refused since the start. */
  readonly rejected: number;
}

export interface Admission {
  readonly interceptor: Interceptor;
  /** For metrics. */
  snapshot(): AdmissionSnapshot;
}

/** Whoever is refused comes back after 100 to 300 ms: not at once, and not all together. */
const retryDelayMs = { least: 100, spread: 200 };

/** Rejections that wait at a time. Each keeps an HTTP/2 stream open, of some 20 kB. */
const maxLateRejections = 2000;

/** A full server still takes calls of those that have less than their share, up to so many times its limit. */
const fullFactor = { unary: 3, streams: 1.25 };

/**
 * Rejects at once what the server cannot serve soon: RESOURCE_EXHAUSTED, with RetryInfo and so with the pushback of
 * gRFC A6. Nothing queues here: the limit leaves room for bursts, and a caller that waits is better off with another
 * replica. One admission serves all methods of a server; health and reflection do not pass it.
 *
 * A full server rejects those first that have the most in flight: a caller with less than an equal share of the limit
 * is admitted all the same. A caller that retries in a tight loop is rejected late, see `createLateRejection`.
 *
 * Unary calls are held to the adaptive limit, see `createAdmissionLimit`. A stream, of requests too, lasts as long as its
 * caller likes, so that neither its duration nor its being open tells how busy the server is: it takes none of that
 * limit's room and has a fixed bound instead. But no stream is opened either while the limit is reached.
 */
export function createAdmission(options: AdmissionOptions = {}): Admission {
  const { minLimit = 8, initialLimit = 200, maxLimit = 2000, maxStreams = 12_000 } = options;
  const { random = Math.random } = options;
  const limit = createAdmissionLimit({ minLimit, initialLimit, maxLimit });
  const measureTurn = turnMeter(limit);
  const unary = createShares();
  const streams = createShares();
  let rejected = 0;

  const late = createLateRejection();
  let waiting = 0;

  const refusal = (reason: string) => {
    rejected++;
    const delayMs = Math.round(retryDelayMs.least + random() * retryDelayMs.spread);
    return new RpcError(Code.RESOURCE_EXHAUSTED, reason, { details: [retryInfo(delayMs)] });
  };
  /** Rejects the call, at once or late. */
  const reject = async (call: ServerCall, reason: string): Promise<never> => {
    const delayMs = late.delayMs(call.caller);
    if (delayMs > 0 && waiting < maxLateRejections) {
      waiting++;
      call.discardRequest();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        call.onAbort(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      waiting--;
    }
    throw refusal(reason);
  };
  const serveUnary = (next: Handler, call: ServerCall) => {
    const startMs = performance.now();
    const { caller } = call;
    unary.add(caller);
    const inFlightAtStart = unary.total();
    measureTurn();
    return untilOver(next, call, (ok) => {
      limit.record({
        startMs,
        endMs: performance.now(),
        deadlineMs: call.method.policy.deadlineMs,
        inFlight: Math.max(inFlightAtStart, unary.total()),
        ok,
      });
      unary.remove(caller);
    });
  };
  const serveStream = (next: Handler, call: ServerCall) => {
    const { caller } = call;
    if (!streams.hasRoom(caller, maxStreams, fullFactor.streams))
      return reject(call, 'the server has too many open streams');
    streams.add(caller);
    return untilOver(next, call, () => streams.remove(caller));
  };
  return {
    interceptor: (next) => (call) => {
      late.note(call.caller);
      if (!unary.hasRoom(call.caller, limit.value(), fullFactor.unary))
        return reject(call, 'the server is busy');
      return call.method.desc.methodKind === 'unary' ? serveUnary(next, call) : serveStream(next, call);
    },
    snapshot: () => ({
      limit: limit.value(),
      inFlight: unary.total(),
      streams: streams.total(),
      rejected,
    }),
  };
}

/**
 * Measures a turn of the event loop, from one check phase to the next, unless it is at it already: what it took of the
 * processor. A turn that waits for a processor which others have taken gets no shorter with fewer calls.
 */
function turnMeter(limit: AdmissionLimit): () => void {
  let isMeasuring = false;
  return () => {
    if (isMeasuring) return;
    isMeasuring = true;
    setImmediate(() => {
      const start = process.threadCpuUsage();
      setImmediate(() => {
        isMeasuring = false;
        const { user, system } = process.threadCpuUsage(start);
        limit.recordTurn((user + system) / 1000);
      });
    });
  };
}

/**
 * Serves the call, and says once when it is over: when it is answered, or at the latest when its signal is aborted. A
 * handler that ignores its signal would otherwise keep its place for ever.
 */
async function untilOver(next: Handler, call: ServerCall, over: (ok: boolean) => void): Promise<void> {
  let isOver = false;
  const end = (ok: boolean) => {
    if (isOver) return;
    isOver = true;
    over(ok);
  };
  call.onAbort(() => end(false));
  try {
    await next(call);
    end(true);
  } finally {
    end(false);
  }
}
