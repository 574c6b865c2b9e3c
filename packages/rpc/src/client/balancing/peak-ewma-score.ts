import { Code } from '../../errors/rpc-error.ts';
import { replicaFaultCodes } from '../../errors/status-codes.ts';

/** The measured load and latency of a replica. */
export interface Load {
  /** Calls in flight. */
  inFlight: number;
  /** Peak latency: rises at once to a slower call, and decays over time. Undefined before the first answer. */
  latencyMs: number | undefined;
  measuredAtMs: number;
}

/** Time after which a measurement counts for 1/e. */
const decayMs = 2_000;

/** Minimum latency that a failed call counts for, so that a replica which fails fast does not look fast. */
const failureMs = 1_000;

/** A replica that rejects calls in no time must not attract more of them, so RESOURCE_EXHAUSTED counts as a failure here. */
const failures = replicaFaultCodes.union(new Set([Code.RESOURCE_EXHAUSTED]));

export function initialLoad(): Load {
  return { inFlight: 0, latencyMs: undefined, measuredAtMs: 0 };
}

/** Counts the outcome and the latency of a call. */
export function recordCall(load: Load, code: Code, durationMs: number, nowMs: number): void {
  const { latencyMs } = load;
  // A cancelled call would have taken longer, so it can only raise the estimate.
  if (code === Code.CANCELLED && (latencyMs === undefined || durationMs <= latencyMs)) return;
  const sampleMs = failures.has(code) ? Math.max(durationMs, failureMs) : durationMs;
  const kept = Math.exp(-(nowMs - load.measuredAtMs) / decayMs);
  load.latencyMs =
    latencyMs === undefined || sampleMs > latencyMs ? sampleMs : latencyMs * kept + sampleMs * (1 - kept);
  load.measuredAtMs = nowMs;
}

/**
 * Chooses a replica for a call: the better of two random ones (Mitzenmacher's power of two choices) by peak EWMA latency ×
 * (calls in flight + 1), as in Finagle.
 *
 * @param random Returns a number from 0 up to 1, like Math.random.
 * @returns An index of `loads`, which has at least one entry.
 */
export function chooseReplica(loads: readonly Load[], nowMs: number, random: () => number): number {
  const first = Math.floor(random() * loads.length);
  const second = (first + 1 + Math.floor(random() * (loads.length - 1))) % loads.length;
  return scoreAt(loads, second, nowMs) < scoreAt(loads, first, nowMs) ? second : first;
}

/**
 * Returns the score of a replica; the lowest is best. The score of an idle replica decays to 0, so that a slow one is tried
 * again. As soon as it has a call in flight its last latency counts in full, so it gets one call until it has shown that
 * it is fast. A replica that has never answered then counts as the slowest.
 */
function scoreAt(loads: readonly Load[], index: number, nowMs: number): number {
  const { inFlight = 0, latencyMs, measuredAtMs = 0 } = loads[index] ?? {};
  if (inFlight === 0) return (latencyMs ?? 0) * Math.exp(-(nowMs - measuredAtMs) / decayMs);
  return (latencyMs ?? slowestMs(loads)) * (inFlight + 1);
}

/** Returns 1 before the first answer, so that only the calls in flight count. */
function slowestMs(loads: readonly Load[]): number {
  const known = loads.flatMap(({ latencyMs }) => latencyMs ?? []);
  return known.length > 0 ? Math.max(...known) : 1;
}
