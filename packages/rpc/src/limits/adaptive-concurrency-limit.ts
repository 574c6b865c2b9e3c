export interface LimitBounds {
  readonly minLimit: number;
  readonly initialLimit: number;
  readonly maxLimit: number;
}

/** A unary call that was admitted, at its end. Times are of one clock, in ms. */
export interface CallSample {
  readonly startMs: number;
  readonly endMs: number;
  /** What the contract gives its method; a caller in a hurry must not lower the limit for everybody. */
  readonly deadlineMs: number;
  /** Calls in flight with it, itself included: at its start or at its end, whichever were more. */
  readonly inFlight: number;
  readonly ok: boolean;
}

/** A concurrency limit that follows what the server can do. Pure: what it knows of time comes with its arguments. */
export interface AdmissionLimit {
  /** How many calls may be in flight now. */
  value(): number;
  record(sample: CallSample): void;
  /** What a turn of the event loop has taken of the processor, in ms. */
  recordTurn(cpuMs: number): void;
}

/** The turn of the event loop in which a call arrives may last so long: a refusal waits for it, an answer for several. */
const turnTargetMs = 10;
/** On average a call may take this part of its method's deadline. With more, many are answered too late. */
const deadlineShareTarget = 0.25;
/** It falls to this part of itself at the most: the long turns of a fresh process, until it is compiled, pass in time. */
const leastGradient = 0.7;
/** The limit changes at most so often, and on at least so many calls that started under the present one. */
const windowMs = 100;
const windowCalls = 10;

/**
 * Netflix concurrency-limits' loop: a window of calls, a gradient between the latency that is wanted and the one that
 * was measured, the root of the limit as the step up, and no change while less than half of the limit is in use.
 * What differs is where the wanted latency comes from. Their baselines are learnt, and in Node they are learnt wrong: a
 * server that starts in a rush has never seen an idle moment. So both targets are absolute:
 *
 * - A turn of the event loop is the queue for the processor, whatever the methods are. It is weighted by its length,
 *   because long turns are the ones that calls arrive in.
 * - The part of its deadline that a call takes is the queue for all else, a database for instance. It is the contract's
 *   idea of slow, so that 1 ms and 200 ms methods go together, and room for batches, which answer later but more.
 *
 * A window holds only calls that started in it: as in TCP, a change shows after a round trip, and not before.
 * A call that failed or was cancelled would have taken longer, nobody knows how long: it counts only if it was too slow
 * already.
 */
export function createAdmissionLimit({ minLimit, initialLimit, maxLimit }: LimitBounds): AdmissionLimit {
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
    const next = Math.min(limit * Math.max(gradient, leastGradient), limit + Math.sqrt(limit));
    limit = Math.min(Math.max(next, minLimit), maxLimit);
  };
  return {
    value: () => Math.floor(limit),
    record: (sample) => {
      if (sample.startMs < window.openedMs) return;
      count(sample);
      // A turn that has not ended yet may be the longest.
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
