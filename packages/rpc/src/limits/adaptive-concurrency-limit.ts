export interface ConcurrencyLimitOptions {
  /** Lowest value of the limit, in calls in flight. */
  readonly minLimit: number;
  /** Limit at the start, in calls in flight. */
  readonly initialLimit: number;
  /** Highest value of the limit, in calls in flight. */
  readonly maxLimit: number;
}

/** An admitted unary call, at its end. All times come from one clock. */
export interface CallSample {
  readonly startMs: number;
  readonly endMs: number;
  /** The contract's deadline: a caller with a shorter one must not lower the limit of all callers. */
  readonly deadlineMs: number;
  /** Calls in flight, this one included: at its start or at its end, whichever is higher. */
  readonly inFlight: number;
  readonly ok: boolean;
}

/** A concurrency limit that follows the capacity of the server. Reads no clock: all times are arguments. */
export interface AdaptiveConcurrencyLimit {
  /** Current limit of calls in flight. */
  value(): number;
  record(sample: CallSample): void;
  /** Records the CPU time of a turn of the event loop, in ms. */
  recordTurn(cpuMs: number): void;
}

/** Target for the turn of the event loop in which a call arrives. A rejection takes one turn, an answer several. */
const turnTargetMs = 10;
/** Target for the average share of its deadline that a call takes. Above it many calls are answered too late. */
const deadlineShareTarget = 0.25;
/** Maximum decrease per window. The long turns of a process whose code is not compiled yet must not collapse the limit. */
const minGradient = 0.7;
/** Minimum duration of a window, and minimum number of calls that started in it. */
const windowMs = 100;
const windowCalls = 10;

/**
 * Creates a limit with the control loop of Netflix's concurrency-limits: a window of calls, a gradient between target
 * and measured latency, the square root of the limit as the step up, and no change while less than half of the limit is
 * in use. Netflix learns the target from a baseline. A Node server that starts under load has no idle moment to learn
 * it from, so both targets are absolute:
 *
 * - The turn of the event loop measures the queue for the CPU, whatever the methods do. Turns are weighted by their
 *   length, because more calls arrive in a long turn.
 * - The share of its deadline that a call takes measures all other queues, such as the database's. It scales with the
 *   contract, so that methods of 1 ms and of 200 ms share a limit, and it leaves room for batches.
 *
 * A window contains only calls that started in it: as in TCP, a change shows after a round trip. The full duration of a
 * failed or cancelled call is unknown, so such a call counts only if it already exceeded the target.
 */
export function createAdaptiveConcurrencyLimit({
  minLimit,
  initialLimit,
  maxLimit,
}: ConcurrencyLimitOptions): AdaptiveConcurrencyLimit {
  let limit = initialLimit;
  let window = emptyWindow(Number.NEGATIVE_INFINITY);

  const count = ({ startMs, endMs, deadlineMs, inFlight, ok }: CallSample) => {
    window.calls++;
    window.inFlight = Math.max(window.inFlight, inFlight);
    const deadlineShare = (endMs - startMs) / deadlineMs;
    if (!ok && deadlineShare < deadlineShareTarget) return;
    window.samples++;
    window.deadlineShares += deadlineShare;
  };
  const adapt = () => {
    if (window.samples === 0 || window.inFlight < limit / 2) return;
    const deadlineShare = window.deadlineShares / window.samples;
    const turn = window.turnMsSquared / window.turnMs;
    const gradient = Math.min(deadlineShareTarget / deadlineShare, turnTargetMs / turn);
    const next = Math.min(limit * Math.max(gradient, minGradient), limit + Math.sqrt(limit));
    limit = Math.min(Math.max(next, minLimit), maxLimit);
  };
  return {
    value: () => Math.floor(limit),
    record: (sample) => {
      if (sample.startMs < window.openedMs) return;
      count(sample);
      // Without a finished turn the gradient is unknown: the current turn may be the longest.
      if (window.turnMs === 0 || window.calls < windowCalls) return;
      if (sample.endMs - window.openedMs < windowMs) return;
      adapt();
      window = emptyWindow(sample.endMs);
    },
    recordTurn: (cpuMs) => {
      window.turnMs += cpuMs;
      window.turnMsSquared += cpuMs ** 2;
    },
  };
}

function emptyWindow(openedMs: number) {
  return { openedMs, calls: 0, samples: 0, inFlight: 0, deadlineShares: 0, turnMs: 0, turnMsSquared: 0 };
}
