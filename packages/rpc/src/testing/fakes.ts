/** A clock and ids that a test knows beforehand, for handlers and stores, which take both as arguments. */
export interface Fakes {
  /** Stands still until it is moved. */
  readonly now: () => Date;
  /** Moves the clock, in ms; back with a negative number. */
  readonly advance: (ms: number) => void;
  /** UUIDs that sort as they were made in. UUIDv7s of one millisecond do not. */
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
