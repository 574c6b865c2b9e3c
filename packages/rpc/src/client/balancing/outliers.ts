import { Code } from '../../errors/rpc-error.ts';
import { replicaFaultCodes } from '../../errors/status-codes.ts';

/** The health of a replica, as the outcomes of its calls show it. */
export interface ReplicaHealth {
  /** Faults in a row. A call without a fault resets them, unless its code is neutral. */
  faultsInARow: number;
  /** Ejections since its last call without a fault. */
  ejections: number;
  isEjected: boolean;
}

/** The caller cancelled, or the replica is busy. Ejecting a busy replica would only make the others busier. */
const neutralCodes = new Set<Code>([Code.CANCELLED, Code.RESOURCE_EXHAUSTED]);

/** Envoy's consecutive_5xx. A replica that fails one call in ten has five faults in a row with a probability of 0.001 %. */
const faultsToEject = 5;

const firstEjectionMs = 5_000;
const maxEjectionMs = 60_000;

export function initialHealth(): ReplicaHealth {
  return { faultsInARow: 0, ejections: 0, isEjected: false };
}

/**
 * Counts the outcome of a call, and returns for how many ms to eject its replica; 0 for no ejection. Each ejection in a
 * row is twice as long. At least half of the replicas stay: if most of them fail, the cause is elsewhere.
 *
 * @param isStream Whether the call was a stream, which ends regularly at its deadline.
 * @param all The health of all replicas, this one included.
 */
export function ejectionAfter(
  health: ReplicaHealth,
  code: Code,
  isStream: boolean,
  all: readonly ReplicaHealth[],
): number {
  if (neutralCodes.has(code) || (isStream && code === Code.DEADLINE_EXCEEDED)) return 0;
  if (!replicaFaultCodes.has(code)) {
    health.faultsInARow = 0;
    // A response to a call from before the ejection neither ends it nor shortens the next one.
    if (!health.isEjected) health.ejections = 0;
    return 0;
  }
  health.faultsInARow++;
  if (health.isEjected || health.faultsInARow < faultsToEject) return 0;
  const ejected = all.filter((each) => each.isEjected).length;
  if ((ejected + 1) * 2 > all.length) return 0;
  health.isEjected = true;
  health.ejections++;
  return Math.min(firstEjectionMs * 2 ** (health.ejections - 1), maxEjectionMs);
}

/** Returns the health of a replica after an ejection: the next fault ejects it at once. */
export function onProbation({ ejections }: ReplicaHealth): ReplicaHealth {
  return { faultsInARow: faultsToEject - 1, ejections, isEjected: false };
}

/**
 * Returns whether a replica whose connection is new may return before its ejection has ended: another process may serve its
 * address. A replica that has failed again after an ejection may not.
 */
export function mayReturnEarly({ isEjected, ejections }: ReplicaHealth): boolean {
  return isEjected && ejections === 1;
}
