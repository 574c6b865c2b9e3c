// <settle>
import type { CircuitState } from '@acme/rpc/client';
import type { SparePart } from './spare-part.ts';
import type { Supplier } from './supplier.ts';

/**
 * The work that makes a PENDING spare part STORED. It must be idempotent by the spare part's id: a replica may crash between
 * the work and its record.
 */
export interface SettleWork {
  /** Throws when the outcome is unknown: the settler runs it again. */
  run(sparePart: SparePart, options: { deadlineMs: number }): Promise<void>;
  // <calls>
  /** Returns the state of the circuit breaker of the service that `run` calls. */
  circuitState(): CircuitState;
  // </calls>
}

// <calls>
/** `run` calls supplier: circuitBreaker.execute(() => supplier.client.METHOD({…}, { deadlineMs })). */
// </calls>
export function createSettleWork(
  // <calls>
  { circuitBreaker }: Supplier,
  // </calls>
): SettleWork {
  return {
    run: async () => {},
    // <calls>
    circuitState: circuitBreaker.state,
    // </calls>
  };
}
// </settle>
