// <state>
import { type SparePart, SparePartError } from './spare-part.ts';
import { mayChange, type SparePartState } from './spare-part-state.ts';
// <change>

/**
 * Returns whether a change to the state changes the spare part: false if it has the state already, whatever the etag.
 *
 * Throws ETAG_MISMATCH if the spare part has changed since the caller read it, and STATE_NOT_ALLOWED.
 *
 * @param etag The etag that the caller read, or empty to change any version.
 */
export function needsChange(sparePart: SparePart, to: SparePartState, etag: string): boolean {
  const { id, state: from } = sparePart;
  if (from === to) return false;
  if (etag !== '' && etag !== etagOf(sparePart)) throw new SparePartError({ kind: 'ETAG_MISMATCH', id });
  if (!mayChange(from, to)) throw new SparePartError({ kind: 'STATE_NOT_ALLOWED', id, from, to });
  return true;
}
// </change>

/** Returns the spare part's etag, which changes with every change of the spare part (AIP-154). */
export function etagOf({ version }: SparePart): string {
  return String(version);
}
// </state>
