/** The plan of a Saturday night: the order rate and the outage of inventory. Times are seconds since its start. */
export interface Night {
  readonly seconds: number;
  /** Orders per second at the peak, in the middle of the night. */
  readonly peakRate: number;
  /** The inventory process is killed at this second, */
  readonly killSecond: number;
  /** and started again at this one. */
  readonly startSecond: number;
}

/** Order rate at the start and at the end, as a share of the peak. */
const quietShare = 0.1;
const maxOutageSeconds = 10;

/** Plans the outage for the time before the peak. */
export function planNight(seconds: number, peakRate: number): Night {
  const killSecond = seconds * 0.35;
  return {
    seconds,
    peakRate,
    killSecond,
    startSecond: killSecond + Math.min(seconds * 0.12, maxOutageSeconds),
  };
}

/** Returns the order rate at a second of the night, in orders per second. */
export function rateAt({ seconds, peakRate }: Night, second: number): number {
  return peakRate * (quietShare + (1 - quietShare) * Math.sin((Math.PI * second) / seconds) ** 2);
}

/** Returns the expected number of orders in the whole night. */
export function expectedOrders({ seconds, peakRate }: Night): number {
  return Math.round(seconds * peakRate * (quietShare + (1 - quietShare) / 2));
}
