import { Code } from '../../errors/rpc-error.ts';
import { replicaFaultCodes } from '../../errors/status-codes.ts';

/** What is known of a replica that may be an outlier. */
export interface ReplicaHealth {
  /** Faults since it last answered as it should. */
  faultsInARow: number;
  /** Times that it was sent no calls, since it last answered as it should. */
  ejections: number;
  isEjected: boolean;
}

/** The caller gave up, or the replica is busy: to eject that one would only make the others busier. */
const noVerdict = new Set<Code>([Code.CANCELLED, Code.RESOURCE_EXHAUSTED]);

/** As Envoy's consecutive_5xx. Chance alone makes five faults of a replica that fails one call in ten 1 time in 100,000. */
const faultsToEject = 5;

const firstEjectionMs = 5_000;
const longestEjectionMs = 60_000;

export function unknownHealth(): ReplicaHealth {
  return { faultsInARow: 0, ejections: 0, isEjected: false };
}

/**
 * Notes how a call ended, and says for how long, in ms, its replica is to get no calls now; 0 for not at all. Each
 * time that follows on the last is twice as long. At least half of the replicas always stay: where most of them fail,
 * it is something else that is broken.
 *
 * @param isStream Whether the call was a stream: for one of those, its deadline is an end like any other.
 * @param all Everybody's health, this one's included.
 */
export function ejectionAfter(
  health: ReplicaHealth,
  code: Code,
  isStream: boolean,
  all: readonly ReplicaHealth[],
): number {
  if (noVerdict.has(code) || (isStream && code === Code.DEADLINE_EXCEEDED)) return 0;
  if (!replicaFaultCodes.has(code)) {
    health.faultsInARow = 0;
    // An answer to a call from before the ejection does not end it, nor does it make the next one short.
    if (!health.isEjected) health.ejections = 0;
    return 0;
  }
  health.faultsInARow++;
  if (health.isEjected || health.faultsInARow < faultsToEject) return 0;
  const ejected = all.filter((each) => each.isEjected).length;
  if ((ejected + 1) * 2 > all.length) return 0;
  health.isEjected = true;
  health.ejections++;
  return Math.min(firstEjectionMs * 2 ** (health.ejections - 1), longestEjectionMs);
}

/** The health of a replica that has calls again after an ejection: the next fault ejects it at once. */
export function onTrial({ ejections }: ReplicaHealth): ReplicaHealth {
  return { faultsInARow: faultsToEject - 1, ejections, isEjected: false };
}
