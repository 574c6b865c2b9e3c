/** How a Saturday night goes: how many want to order when, and when inventory is away. Seconds are since it began. */
export interface Night {
  readonly seconds: number;
  /** Orders a second, in the middle. */
  readonly peakRate: number;
  /** Inventory is killed. */
  readonly killSecond: number;
  /** Somebody starts it again. */
  readonly startSecond: number;
}

/** Of the peak, when the doors open and when they close. */
const quietShare = 0.1;
const longestAwaySeconds = 10;

/** Inventory dies on the way to the peak, and is back with it still to come. */
export function planNight(seconds: number, peakRate: number): Night {
  const killSecond = seconds * 0.35;
  return {
    seconds,
    peakRate,
    killSecond,
    startSecond: killSecond + Math.min(seconds * 0.12, longestAwaySeconds),
  };
}

/** Orders a second that are wanted at this second. */
export function rateAt({ seconds, peakRate }: Night, second: number): number {
  return peakRate * (quietShare + (1 - quietShare) * Math.sin((Math.PI * second) / seconds) ** 2);
}

/** How many orders are wanted in all, about. */
export function expectedOrders({ seconds, peakRate }: Night): number {
  return Math.round(seconds * peakRate * (quietShare + (1 - quietShare) / 2));
}
