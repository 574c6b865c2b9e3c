import { setTimeout as sleep } from 'node:timers/promises';
import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { currentCall } from '../call/call-context.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';
import type { CallOptions } from './call/call-options.ts';

export interface ResumingWatchOptions extends Pick<CallOptions, 'signal' | 'metadata'> {
  /** Hears of each end that the watch resumes after. */
  readonly onInterrupted?: (error: unknown) => void;
  /**
   * Called when the watch has begun anew after OUT_OF_RANGE: the server cannot tell what changed since its last response.
   * What there is must be listed again. Called when the new watch stands, before its first response is returned, so that
   * nothing is missed between the list and the watch. Without it the watch ends with OUT_OF_RANGE.
   */
  readonly onRestart?: (error: RpcError) => void;
  /** A server that says nothing for this long, though it owes a heartbeat every 15 s, is given up; 45 s when absent. */
  readonly maxSilenceMs?: number;
  /** From 0 to 1, for the jitter of the pauses. */
  readonly random?: () => number;
}

/** A method whose responses each carry the token that resumes after it. */
type WatchMethod<Request, Response> = (
  request: Request,
  options?: CallOptions,
) => AsyncGenerator<Response, void>;

/**
 * Ends of a stream that say nothing of the watch itself: the replica is going or gone, the connection or the call is as
 * old as it may be, the server is busy or this client was too slow, or the server cut the call off.
 */
const resumableCodes = transientCodes.union(new Set([Code.RESOURCE_EXHAUSTED, Code.CANCELLED]));

const pauseMs = { first: 100, most: 5000 };

/**
 * Watches for as long as the caller reads: over restarts, drains and deadlines, each response once. It resumes after the
 * last response that it has given out; with `resumeToken` in the request, it begins there.
 *
 *     for await (const { order, resumeToken } of resumingWatch(orders.watchOrders, {}, { signal })) …
 *
 * Responses without a change are heartbeats. With `onRestart` it begins anew after OUT_OF_RANGE: when it was away for longer
 * than events are kept, or the server's database was restored to an older state. Throws the RpcError that it cannot resume
 * after, PERMISSION_DENIED for instance.
 */
export async function* resumingWatch<
  Request extends { resumeToken?: string },
  Response extends { resumeToken: string },
>(
  method: WatchMethod<Request, Response>,
  request: Request,
  options: ResumingWatchOptions = {},
): AsyncGenerator<Response, void> {
  const {
    signal,
    metadata = {},
    onInterrupted = () => {},
    onRestart,
    maxSilenceMs = 45_000,
    random = Math.random,
  } = options;
  let resumeToken = request.resumeToken ?? '';
  /** Why the watch begins anew, until it stands. */
  let restartedAfter: RpcError | undefined;
  for (let failures = 0; ; failures++) {
    const silence = silenceTimer(maxSilenceMs);
    const stop = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    let delayMs = 0;
    try {
      for await (const response of method({ ...request, resumeToken }, { signal: stop, metadata })) {
        silence.stop();
        failures = 0;
        resumeToken = response.resumeToken;
        if (restartedAfter) onRestart?.(restartedAfter);
        restartedAfter = undefined;
        yield response;
        silence.start();
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      if (onRestart && resumeToken !== '' && isOutOfRange(error)) {
        restartedAfter = error;
        resumeToken = '';
      } else if (isPassing(error)) {
        onInterrupted(error);
        delayMs = retryDelayMs(error);
      } else throw error;
    } finally {
      silence.stop();
    }
    const backoffMs = Math.min(pauseMs.first * 2 ** failures, pauseMs.most) * random();
    // Aborted meanwhile, the next call throws at once.
    await sleep(Math.max(backoffMs, delayMs), undefined, signal && { signal }).catch(() => {});
  }
}

function isOutOfRange(error: unknown): error is RpcError {
  return error instanceof RpcError && error.code === Code.OUT_OF_RANGE;
}

/** What grpc-js says of a stream that was cut off with its connection, as when that was older than it may be. */
function isCutOff({ code, message }: RpcError): boolean {
  return code === Code.INTERNAL && message.startsWith('Received RST_STREAM with code');
}

/** Not when it is the call being served that is over. */
function isPassing(error: unknown): error is RpcError {
  if (!(error instanceof RpcError) || !(resumableCodes.has(error.code) || isCutOff(error))) return false;
  const served = currentCall();
  return !served || !(served.signal.aborted || served.deadline <= Date.now());
}

function retryDelayMs(error: RpcError): number {
  const delay = error.detail(RetryInfoSchema)?.retryDelay;
  return delay ? durationMs(delay) : 0;
}

/** Aborts its signal when it has run for so long. */
function silenceTimer(maxMs: number) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => controller.abort(), maxMs);
  };
  start();
  return { signal: controller.signal, start, stop: () => clearTimeout(timer) };
}
