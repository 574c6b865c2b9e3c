import { Code } from '../../errors/rpc-error.ts';
import { replicaFaultCodes } from '../../errors/status-codes.ts';

/** What is known of how busy and how fast a replica is. Times are in ms. */
export interface Load {
  /** Calls that it has not answered yet. */
  inFlight: number;
  /** Its latency: rises at once to the slowest call, and sinks over time. Undefined before the first answer. */
  latencyMs: number | undefined;
  measuredAtMs: number;
}

/** After this time, what was measured counts for 1/e. */
const decayMs = 2_000;

/** How slow a failed call counts at least: failing fast must not look like being fast. */
const failureMs = 1_000;

/** A replica that rejects calls in no time must not attract more of them, so RESOURCE_EXHAUSTED counts as a failure here. */
const failures = replicaFaultCodes.union(new Set([Code.RESOURCE_EXHAUSTED]));

export function unknownLoad(): Load {
  return { inFlight: 0, latencyMs: undefined, measuredAtMs: 0 };
}

/** Notes how a call ended, and what it took. */
export function measure(load: Load, code: Code, tookMs: number, nowMs: number): void {
  const { latencyMs } = load;
  // A call that its caller gave up would have taken longer: it can only make the estimate worse.
  if (code === Code.CANCELLED && (latencyMs === undefined || tookMs <= latencyMs)) return;
  const sampleMs = failures.has(code) ? Math.max(tookMs, failureMs) : tookMs;
  const kept = Math.exp(-(nowMs - load.measuredAtMs) / decayMs);
  load.latencyMs =
    latencyMs === undefined || sampleMs > latencyMs ? sampleMs : latencyMs * kept + sampleMs * (1 - kept);
  load.measuredAtMs = nowMs;
}

/**
 * Which of the replicas to send a call to: the better of two that are drawn at random (Mitzenmacher's power of two
 * choices), by peak EWMA of the latency × (calls in flight + 1), as in Finagle.
 *
 * @param random A number from 0 up to 1, as Math.random gives it.
 * @returns An index of `loads`, of which there is at least one.
 */
export function choose(loads: readonly Load[], nowMs: number, random: () => number): number {
  const first = Math.floor(random() * loads.length);
  const second = (first + 1 + Math.floor(random() * (loads.length - 1))) % loads.length;
  return scoreAt(loads, second, nowMs) < scoreAt(loads, first, nowMs) ? second : first;
}

/**
 * How bad a choice it is. One that is idle gets better with time, down to nothing, so that a replica that was slow is
 * tried again; but as soon as it has a call to answer, what was last known counts in full. So it gets one call, not
 * all of them, until it has shown that it is fast. One that has never answered then counts as the slowest.
 */
function scoreAt(loads: readonly Load[], index: number, nowMs: number): number {
  const { inFlight = 0, latencyMs, measuredAtMs = 0 } = loads[index] ?? {};
  if (inFlight === 0) return (latencyMs ?? 0) * Math.exp(-(nowMs - measuredAtMs) / decayMs);
  return (latencyMs ?? slowestMs(loads)) * (inFlight + 1);
}

/** 1 while nobody has answered: then only the calls in flight make a difference. */
function slowestMs(loads: readonly Load[]): number {
  const known = loads.flatMap(({ latencyMs }) => latencyMs ?? []);
  return known.length > 0 ? Math.max(...known) : 1;
}
