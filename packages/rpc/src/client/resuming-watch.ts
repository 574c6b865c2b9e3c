import { setTimeout as sleep } from 'node:timers/promises';
import { currentCall } from '../call/call-context.ts';
import { maxInt32 } from '../call/timer.ts';
import { retryDelayMsOf } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';
import type { CallOptions } from './outgoing-call/call-options.ts';
import { wasCutOff } from './outgoing-call/received-error.ts';

export interface ResumingWatchOptions extends Pick<CallOptions, 'signal' | 'metadata'> {
  /** Called with each error that the watch resumes after. */
  readonly onInterrupted?: (error: unknown) => void;
  /**
   * Called when the watch has restarted after OUT_OF_RANGE: the server cannot tell what changed since its last response,
   * so the caller has to list the resources again. Called on the first response of the new watch, before it is
   * returned, so that no change is missed between the list and the watch. Without it the watch ends with OUT_OF_RANGE.
   */
  readonly onRestart?: (error: RpcError) => void;
  /**
   * Time without a response after which the watch resumes. Default: 45 s. Servers send a heartbeat every 15 s.
   */
  readonly maxSilenceMs?: number;
  /** Returns a number from 0 to 1, for the jitter of the backoff. */
  readonly random?: () => number;
}

/** A method whose responses each carry the token that resumes after it. */
type WatchMethod<Request, Response> = (
  request: Request,
  options?: CallOptions,
) => AsyncGenerator<Response, void>;

/**
 * Codes after which the watch resumes: the replica stopped, the connection or the call reached its maximum age, or the
 * server cancelled the call in a drain. It also resumes after a response that ended without a status: a server on Node
 * that resets a stream ends it so.
 */
const resumableCodes = transientCodes.union(new Set([Code.CANCELLED]));

const backoffMs = { first: 100, max: 5000 };

/**
 * Watches for as long as the caller reads, across restarts, drains and deadlines, and returns each response once. It
 * resumes after the last response that it has returned, and starts at the `resumeToken` of the request.
 *
 *     for await (const { order, resumeToken } of resumingWatch(orders.watchOrders, {}, { signal })) …
 *
 * RESOURCE_EXHAUSTED is resumed if the server names a time to wait (RetryInfo that is not negative), or if the watch has advanced since it was
 * last resumed: the server was busy, or this client too slow. Otherwise it would fail again at the same place, as with a
 * response over the client's limit.
 *
 * Responses without a change are heartbeats. With `onRestart` the watch restarts after OUT_OF_RANGE: when it was
 * interrupted for longer than events are kept, or the server's database was restored to an older state.
 *
 * @throws RpcError of the first end that the watch cannot resume after, PERMISSION_DENIED for instance.
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
  /** Set from an OUT_OF_RANGE until the first response of the new watch. */
  let restartedAfter: RpcError | undefined;
  for (let failures = 0; ; failures++) {
    const silence = silenceTimer(maxSilenceMs);
    const stop = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    const startToken = resumeToken;
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
      } else if (isResumable(error, resumeToken !== startToken)) {
        onInterrupted(error);
        delayMs = retryDelayMsOf(error) ?? 0;
      } else throw error;
    } finally {
      silence.stop();
    }
    const jitteredMs = Math.min(backoffMs.first * 2 ** failures, backoffMs.max) * random();
    // If the signal is aborted meanwhile, the next call throws at once.
    await sleep(Math.min(Math.max(jitteredMs, delayMs), maxInt32), undefined, signal && { signal }).catch(
      () => {},
    );
  }
}

function isOutOfRange(error: unknown): error is RpcError {
  return error instanceof RpcError && error.code === Code.OUT_OF_RANGE;
}

/** The watch ends with the call that is being served. */
function isResumable(error: unknown, hasAdvanced: boolean): error is RpcError {
  if (!(error instanceof RpcError)) return false;
  const isTransient =
    error.code === Code.RESOURCE_EXHAUSTED
      ? hasAdvanced || (retryDelayMsOf(error) ?? -1) >= 0
      : resumableCodes.has(error.code) || wasCutOff(error);
  if (!isTransient) return false;
  const served = currentCall();
  return !served || !(served.signal.aborted || served.deadlineAtMs <= Date.now());
}

/** Aborts its signal `maxMs` after the last `start`, unless it is stopped. */
function silenceTimer(maxMs: number) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => controller.abort(), maxMs);
  };
  start();
  return { signal: controller.signal, start, stop: () => clearTimeout(timer) };
}
