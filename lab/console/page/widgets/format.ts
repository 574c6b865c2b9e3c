const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const fineClock = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});
const scales = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const;

export function count(value: number): string {
  return whole.format(value);
}

/** Returns a number with its noun: `1 span`, `15 spans`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Returns a rate per second: `0.4`, `12`, `1,204`. */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? oneDigit.format(perSecond) : whole.format(perSecond);
}

/** Returns the duration of a call: `0.42 ms`, `12 ms`, `1.2 s`. */
export function milliseconds(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(ms < 9950 ? 2 : 1)} s`;
}

/** Returns a time span that people wait for: `4 s`, `3 min`, `2 h`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function bytes(value: number): string {
  const [unit, size] = scales.find(([, each]) => value >= each) ?? ['', 1];
  return `${whole.format(value / size)} ${unit}${unit && 'i'}B`;
}

export function percent(share: number): string {
  return `${whole.format(share * 100)}%`;
}

/** Returns a time of day: `21:04:31`. */
export function time(atMs: number): string {
  return clock.format(atMs);
}

/** Returns a time of day with milliseconds. */
export function fineTime(atMs: number): string {
  return fineClock.format(atMs);
}

/** Returns the end of a UUIDv7, which differs between orders of the same moment. */
export function shortId(id: string): string {
  return id.slice(-6);
}

/** Returns the method of a full name: `PlaceOrder` of `orders.v1.OrderService/PlaceOrder`. */
export function methodName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('/') + 1);
}
