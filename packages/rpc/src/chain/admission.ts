import type { Handler, Interceptor, ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import {
  type AdaptiveConcurrencyLimit,
  type ConcurrencyLimitOptions,
  createAdaptiveConcurrencyLimit,
} from '../limits/adaptive-concurrency-limit.ts';
import { createFairShare, streamOvercommitFactor } from '../limits/fair-share.ts';
import { createRejectionDelay } from './rejection-delay.ts';
import { serveAndRelease } from './serve-and-release.ts';

export interface AdmissionOptions extends Partial<ConcurrencyLimitOptions> {
  /**
   * Number of open streams above which further ones are rejected; 12,000 when absent, for 10,000 watches at about 40 kB
   * each and a margin. Callers with less than their share are admitted up to 1.25 times the limit.
   */
  readonly maxStreams?: number;
  /** Source of jitter, from 0 to 1. */
  readonly random?: () => number;
}

export interface AdmissionSnapshot {
  /** Current limit of unary calls in flight. */
  readonly limit: number;
  /** Unary calls in flight. */
  readonly inFlight: number;
  /** Open streams, of all three kinds. */
  readonly streams: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
}

export interface Admission {
  readonly interceptor: Interceptor;
  /** For metrics. */
  snapshot(): AdmissionSnapshot;
}

/** Retry delay of a rejected call: `min`, and jitter of up to `spread`, so that callers do not return together. */
const retryDelayMs = { min: 100, spread: 200 };

/** Maximum number of delayed rejections. Each keeps an HTTP/2 stream of about 20 kB open. */
const maxDelayedRejections = 2000;

/** Multiple of the limit up to which a full server admits unary calls of callers that have less than their share. */
const unaryOvercommitFactor = 3;

/**
 * Creates the admission of a server: it rejects calls that the server cannot serve soon with RESOURCE_EXHAUSTED,
 * RetryInfo and the pushback of gRFC A6. It has no queue: the limit leaves room for bursts, and a waiting caller is
 * better served by another replica. All methods of a server share one admission; health and reflection do not pass it.
 *
 * A full server rejects the callers with the most calls in flight first: a caller with less than an equal share of the
 * limit is still admitted. The rejections of a caller that retries in a tight loop are delayed, see
 * `createRejectionDelay`.
 *
 * The adaptive limit applies to unary calls, see `createAdaptiveConcurrencyLimit`. The caller decides how long a stream
 * lasts, so an open stream says nothing about the load of the server. Streams therefore have a fixed limit of their
 * own, and are rejected too while the adaptive limit is reached.
 */
export function createAdmission(options: AdmissionOptions = {}): Admission {
  const { minLimit = 8, initialLimit = 200, maxLimit = 2000, maxStreams = 12_000 } = options;
  const { random = Math.random } = options;
  const limit = createAdaptiveConcurrencyLimit({ minLimit, initialLimit, maxLimit });
  const measureTurn = turnMeter(limit);
  const unary = createFairShare();
  const streams = createFairShare();
  let rejected = 0;

  const rejectionDelay = createRejectionDelay();
  let delayedRejections = 0;

  const rejection = (reason: string) => {
    rejected++;
    const retryMs = Math.round(retryDelayMs.min + random() * retryDelayMs.spread);
    return new RpcError(Code.RESOURCE_EXHAUSTED, reason, { details: [retryInfo(retryMs)] });
  };
  /** Rejects the call, immediately or after the caller's delay. */
  const reject = async (call: ServerCall, reason: string): Promise<never> => {
    const delayMs = rejectionDelay.nextDelayMs(call.caller);
    if (delayMs > 0 && delayedRejections < maxDelayedRejections) {
      delayedRejections++;
      call.discardRequest();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        call.onAbort(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      delayedRejections--;
    }
    throw rejection(reason);
  };
  const serveUnary = (next: Handler, call: ServerCall) => {
    const startMs = performance.now();
    const { caller } = call;
    unary.add(caller);
    const inFlightAtStart = unary.total();
    measureTurn();
    return serveAndRelease(next, call, (ok) => {
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
    if (!streams.hasRoom(caller, maxStreams, streamOvercommitFactor))
      return reject(call, 'the server has too many open streams');
    streams.add(caller);
    return serveAndRelease(next, call, () => streams.remove(caller));
  };
  return {
    interceptor: (next) => (call) => {
      rejectionDelay.recordCall(call.caller);
      if (!unary.hasRoom(call.caller, limit.value(), unaryOvercommitFactor))
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
 * Returns a function that measures the CPU time of one turn of the event loop, from one check phase to the next. A call
 * during a measurement does nothing. Wall time would not do: a turn that waits for a busy CPU gets no shorter with fewer
 * calls.
 */
function turnMeter(limit: AdaptiveConcurrencyLimit): () => void {
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
