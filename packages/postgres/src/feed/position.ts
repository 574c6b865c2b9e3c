/**
 * A position in a feed: an event's number and time. A database that was restored, or that failed over to a standby
 * without the last events, assigns the same numbers again, but to events of other times.
 */
export interface Position {
  readonly seq: bigint;
  /** Microseconds since 1970. Undefined for a position without an event: none was written, or it was pruned. */
  readonly timeUs: bigint | undefined;
}

/** Events after the position have been pruned. */
export class PositionExpiredError extends Error {
  override name = 'PositionExpiredError';
}

/** The database does not hold the event of the position: it was restored, or failed over, to an older state. */
export class PositionAheadError extends Error {
  override name = 'PositionAheadError';
}

/**
 * Throws `PositionExpiredError` when events after `after` have been pruned, and `PositionAheadError` when the database
 * does not hold the event of the position.
 *
 * @param position At or before `after`.
 */
export function requireKnown(
  { seq, timeUs }: Position,
  after: bigint,
  kept: {
    /** Events up to this number may have been pruned. */
    readonly prunedSeq: bigint;
    /** Time of the event with the position's number. Undefined when there is none. */
    readonly timeUs: bigint | undefined;
  },
): void {
  if (after < kept.prunedSeq) throw new PositionExpiredError(`events after ${after} have been pruned`);
  if (seq <= kept.prunedSeq) return;
  const isKnown = kept.timeUs !== undefined && (timeUs === undefined || timeUs === kept.timeUs);
  if (!isKnown)
    throw new PositionAheadError(
      `the database does not hold event ${seq}: it was restored to an older state`,
    );
}

/** Returns the position as text, for a token. */
export function positionToText({ seq, timeUs }: Position): string {
  return timeUs === undefined ? `${seq}` : `${seq}.${timeUs}`;
}

/** Returns the position of a token's text. Tokens of releases before this form hold only the number. */
export function positionFromText(text: string): Position {
  const [seq = '', timeUs] = text.split('.');
  return { seq: BigInt(seq), timeUs: timeUs === undefined ? undefined : BigInt(timeUs) };
}
