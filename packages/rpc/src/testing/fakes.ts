/** A predictable clock and predictable ids, for handlers and stores that take both as arguments. */
export interface Fakes {
  /** Returns the time, which changes only by `advance`. */
  readonly now: () => Date;
  /** Moves the clock by `ms`, backwards if negative. */
  readonly advance: (ms: number) => void;
  /** Returns UUIDs that sort in the order of creation. UUIDv7s of the same millisecond do not. */
  readonly newId: () => string;
}

export function createFakes(start = new Date('2026-01-02T03:04:05.678Z')): Fakes {
  let nowMs = start.getTime();
  let made = 0;
  return {
    now: () => new Date(nowMs),
    advance: (ms) => {
      nowMs += ms;
    },
    newId: () => `00000000-0000-7000-8000-${String(++made).padStart(12, '0')}`,
  };
}
