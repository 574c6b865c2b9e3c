import type { MethodPoint, SaturationPoint, ServiceSignals, Signals } from '../../api.ts';

/** The signals of one service in the last ten minutes, the oldest point first. */
export interface ServiceHistory {
  readonly service: string;
  readonly methods: ReadonlyMap<string, readonly MethodPoint[]>;
  readonly saturation: readonly SaturationPoint[];
}

export type History = ReadonlyMap<string, ServiceHistory>;

const windowMs = 10 * 60_000;
const minWindowMs = 2 * 60_000;

/** Returns the history with newer points, without those that are older than ten minutes. */
export function withNewer(history: History, { services }: Signals, nowMs: number): History {
  const next = new Map(history);
  for (const newer of services) next.set(newer.service, extended(history.get(newer.service), newer, nowMs));
  return next;
}

function extended(known: ServiceHistory | undefined, newer: ServiceSignals, nowMs: number): ServiceHistory {
  const methods = new Map(known?.methods);
  for (const { method, points } of newer.methods)
    methods.set(method, joined(methods.get(method), points, nowMs));
  return {
    service: newer.service,
    methods,
    saturation: joined(known?.saturation, newer.saturation, nowMs),
  };
}

function joined<Point extends { readonly atMs: number }>(
  known: readonly Point[] = [],
  newer: readonly Point[],
  nowMs: number,
): readonly Point[] {
  const lastMs = known.at(-1)?.atMs ?? 0;
  return [...known, ...newer.filter(({ atMs }) => atMs > lastMs)].filter(
    ({ atMs }) => atMs > nowMs - windowMs,
  );
}

/** Returns the time at which the charts begin: that of the oldest point, from two to ten minutes ago. */
export function startOfCharts(history: History, nowMs: number): number {
  const oldestMs = Math.min(
    ...[...history.values()].flatMap(({ methods, saturation }) => [
      saturation[0]?.atMs ?? nowMs,
      ...[...methods.values()].map(([first]) => first?.atMs ?? nowMs),
    ]),
  );
  return Math.max(Math.min(oldestMs, nowMs - minWindowMs), nowMs - windowMs);
}

/** Returns the time of the newest point; 0 if there is none. */
export function newestMs(history: History): number {
  return Math.max(
    0,
    ...[...history.values()].flatMap(({ methods, saturation }) => [
      saturation.at(-1)?.atMs ?? 0,
      ...[...methods.values()].map((points) => points.at(-1)?.atMs ?? 0),
    ]),
  );
}
