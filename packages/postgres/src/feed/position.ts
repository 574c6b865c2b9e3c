/**
 * A place in a feed: the number of an event, and when it happened. A database that was restored, or that failed over to a
 * standby without the last events, gives numbers again, but not for events of the same time.
 */
export interface Place {
  readonly seq: bigint;
  /** In microseconds since 1970. Undefined for a place without an event: none has been written, or it was pruned. */
  readonly timeUs: bigint | undefined;
}

/** Events after the place have been pruned. */
export class ExpiredError extends Error {
  override name = 'ExpiredError';
}

/** The database does not hold the event of the place: it was restored, or failed over, to a state without it. */
export class PlaceAheadError extends Error {
  override name = 'PlaceAheadError';
}

/**
 * Throws `ExpiredError` when events after `after` have been pruned, and `PlaceAheadError` when the place is not that of an
 * event in the database.
 *
 * @param place At or before `after`.
 */
export function requireKnown(
  { seq, timeUs }: Place,
  after: bigint,
  kept: {
    /** Everything up to this number may be gone. */
    readonly prunedSeq: bigint;
    /** When the event with the place's number happened; undefined if there is none. */
    readonly timeUs: bigint | undefined;
  },
): void {
  if (after < kept.prunedSeq) throw new ExpiredError(`events after ${after} have been pruned`);
  if (seq <= kept.prunedSeq) return;
  const isKnown = kept.timeUs !== undefined && (timeUs === undefined || timeUs === kept.timeUs);
  if (!isKnown) throw new PlaceAheadError(`the database does not hold event ${seq}: it is of an older state`);
}

/** Returns the place as text, for a token. */
export function placeToText({ seq, timeUs }: Place): string {
  return timeUs === undefined ? `${seq}` : `${seq}.${timeUs}`;
}

/** Returns the place of a token's text. Tokens of releases before this form hold the number only. */
export function placeFromText(text: string): Place {
  const [seq = '', timeUs] = text.split('.');
  return { seq: BigInt(seq), timeUs: timeUs === undefined ? undefined : BigInt(timeUs) };
}
