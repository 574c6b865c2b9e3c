import type { BreakerState, MethodPoint, SaturationPoint, ServiceSignals, Signals } from '../../api.ts';
import { addPoint, emptyHistogram, type HistogramSum, isSound, quantileOf } from './histogram.ts';
import {
  deltaTemporality,
  type OtlpMetric,
  type OtlpMetrics,
  type OtlpNumberPoint,
  scalarsOf,
  sourceOf,
} from './otlp-json.ts';

/** The golden signals of the last ten minutes, from the services' metrics. */
export interface SignalStore {
  add(metrics: OtlpMetrics): void;
  /** Returns the points after a time, of intervals that are over. */
  since(sinceMs: number): Signals;
  /** Returns the circuit breakers of a service, by their last report. */
  breakers(service: string): Readonly<Record<string, BreakerState>>;
}

/** Interval at which the services export their metrics. */
export const intervalMs = 2000;
const keptIntervals = (10 * 60_000) / intervalMs;
/** Time after the end of an interval until its last export has arrived: one may drift by half an interval. */
const lateMs = intervalMs / 2 + 300;
const maxServices = 20;
const maxMethods = 100;
const maxBreakers = 20;
/** Replicas of a service in ten minutes, those that were restarted included. */
const maxReplicas = 50;
/** Codes of a method in an interval. Others count together. */
const maxCodes = 20;
const otherCode = 'OTHER';
const maxNameLength = 200;

const breakerStates: readonly BreakerState[] = ['closed', 'half-open', 'open'];

interface Service {
  /** The intervals by number: Unix time by `intervalMs`. */
  readonly intervals: Map<number, Interval>;
  readonly methods: Set<string>;
  readonly breakers: Map<string, BreakerState>;
  /** Last export of each replica. */
  readonly lastOf: Map<string, LastExport>;
  /** Intervals that drifting exports have passed over, although none is missing. */
  readonly passedOver: Set<number>;
}

interface LastExport {
  /** Number of its interval. */
  readonly number: number;
  readonly atMs: number;
}

/** What the replicas of a service have reported for one interval. */
interface Interval {
  readonly calls: Map<string, MethodCalls>;
  /** Sums of the replicas' gauges, by the field of a saturation point. */
  readonly gauges: Record<Gauge, number>;
  replicas: number;
}

interface MethodCalls {
  readonly errors: Map<string, number>;
  readonly durations: HistogramSum;
}

type Gauge = Exclude<keyof SaturationPoint, 'atMs'>;

/** Gauges by their metric. `read` converts the unit, or selects points. */
const gauges: Readonly<Record<string, { readonly field: Gauge; readonly read?: ReadGauge }>> = {
  'rpc.server.admission.in_flight': { field: 'inFlight' },
  'rpc.server.admission.limit': { field: 'limit' },
  'rpc.server.admission.streams': { field: 'streams' },
  'db.client.connection.count': {
    field: 'poolUsed',
    read: (value, attributes) => (attributes['db.client.connection.state'] === 'used' ? value : 0),
  },
  'db.client.connection.max': { field: 'poolMax' },
  'db.client.connection.pending_requests': { field: 'poolPending' },
  'nodejs.eventloop.utilization': { field: 'eventLoopUtilization' },
  'nodejs.eventloop.delay.p99': { field: 'eventLoopP99Ms', read: (value) => value * 1000 },
  'v8js.memory.heap.used': { field: 'memoryBytes' },
};
type ReadGauge = (value: number, attributes: Readonly<Record<string, unknown>>) => number;

/** Gauges of which the replicas' average is shown, not their sum. */
const averaged: readonly Gauge[] = ['eventLoopUtilization', 'eventLoopP99Ms'];

/** @param now Wall clock, in ms. */
export function createSignalStore(now: () => number = Date.now): SignalStore {
  const services = new Map<string, Service>();
  return {
    add: ({ resourceMetrics = [] }) => {
      for (const resource of resourceMetrics) {
        const source = sourceOf(resource);
        const service = serviceIn(services, source.service);
        const metrics = (resource.scopeMetrics ?? []).flatMap((each) => each.metrics ?? []);
        if (service) addExport(service, source.instance, metrics, now());
      }
    },
    since: (sinceMs) => {
      const last = Math.floor((now() - lateMs) / intervalMs) - 1;
      const first = Math.max(Math.floor(sinceMs / intervalMs) + 1, last - keptIntervals + 1);
      return {
        intervalMs,
        services: [...services].map(([name, service]) => signalsOf(name, service, first, last)),
      };
    },
    breakers: (service) => Object.fromEntries(services.get(service)?.breakers ?? []),
  };
}

function serviceIn(services: Map<string, Service>, name: string): Service | undefined {
  if (!services.has(name) && services.size >= maxServices) return undefined;
  return services.getOrInsertComputed(name, () => ({
    intervals: new Map(),
    methods: new Set(),
    breakers: new Map(),
    lastOf: new Map(),
    passedOver: new Set(),
  }));
}

function addExport(service: Service, instance: string, metrics: readonly OtlpMetric[], nowMs: number): void {
  const { lastOf, intervals, passedOver } = service;
  const present = Math.floor(nowMs / intervalMs);
  const first = present - keptIntervals;
  for (const [old, { number: at }] of lastOf) if (at < first) lastOf.delete(old);
  for (const numbers of [intervals, passedOver])
    for (const old of numbers.keys()) if (old < first) numbers.delete(old);
  const last = lastOf.get(instance);
  const number = intervalOf(last?.number, nowMs);
  // A replica that exports faster would take the intervals to come.
  if (number > present + 1 || (!last && lastOf.size >= maxReplicas)) return;
  if (last && number > last.number + 1 && nowMs - last.atMs < 1.5 * intervalMs)
    passedOver.add(last.number + 1);
  lastOf.set(instance, { number, atMs: nowMs });
  const interval = intervals.getOrInsertComputed(number, emptyInterval);
  interval.replicas++;
  for (const metric of metrics) {
    addCalls(service, interval, metric);
    addGauge(interval, metric);
    addBreakers(service, metric);
  }
}

/**
 * Returns the interval that an export is of. The exports of a replica are one interval apart, give or take the timer's
 * delay, so that each has an interval of its own unless exports are missing.
 */
function intervalOf(last: number | undefined, nowMs: number): number {
  const exact = nowMs / intervalMs;
  if (last === undefined || Math.abs(exact - (last + 1.5)) > 1)
    return Math.max(Math.floor(exact), (last ?? 0) + 1);
  return last + 1;
}

function emptyInterval(): Interval {
  return {
    calls: new Map(),
    replicas: 0,
    gauges: {
      inFlight: 0,
      limit: 0,
      streams: 0,
      rejectedPerSecond: 0,
      poolUsed: 0,
      poolMax: 0,
      poolPending: 0,
      eventLoopUtilization: 0,
      eventLoopP99Ms: 0,
      memoryBytes: 0,
    },
  };
}

function addCalls(service: Service, { calls }: Interval, { name, histogram }: OtlpMetric): void {
  if (name !== 'rpc.server.call.duration' || histogram?.aggregationTemporality !== deltaTemporality) return;
  for (const point of histogram.dataPoints ?? []) {
    const attributes = scalarsOf(point.attributes);
    const method = String(attributes['rpc.method'] ?? '');
    // Health checks and reflection are not the service's work.
    if (attributes['rpc.system.name'] === 'http' || method.startsWith('grpc.')) continue;
    if (method.length > maxNameLength || !isSound(point)) continue;
    if (!service.methods.has(method) && service.methods.size >= maxMethods) continue;
    service.methods.add(method);
    const { errors, durations } = calls.getOrInsertComputed(method, () => ({
      errors: new Map(),
      durations: emptyHistogram(),
    }));
    const sent = String(attributes['rpc.status_code'] ?? 'OK');
    const isKept = errors.has(sent) || (errors.size < maxCodes && sent.length <= maxNameLength);
    const code = sent === 'OK' || isKept ? sent : otherCode;
    if (code !== 'OK') errors.set(code, (errors.get(code) ?? 0) + Number(point.count));
    addPoint(durations, point);
  }
}

function addGauge(interval: Interval, { name, gauge, sum }: OtlpMetric): void {
  if (name === 'rpc.server.admission.rejections' && sum?.aggregationTemporality === deltaTemporality)
    for (const point of sum.dataPoints ?? [])
      interval.gauges.rejectedPerSecond += (numberOf(point) * 1000) / intervalMs;
  const known = gauges[name];
  if (!known) return;
  const { field, read = (value) => value } = known;
  for (const point of (gauge ?? sum)?.dataPoints ?? [])
    interval.gauges[field] += read(numberOf(point), scalarsOf(point.attributes));
}

function addBreakers({ breakers }: Service, { name, gauge }: OtlpMetric): void {
  if (name !== 'rpc.client.circuit_breaker.state') return;
  for (const point of gauge?.dataPoints ?? []) {
    const breaker = String(scalarsOf(point.attributes)['circuit_breaker.name'] ?? '');
    const state = breakerStates[numberOf(point)];
    if (state && (breakers.has(breaker) || breakers.size < maxBreakers)) breakers.set(breaker, state);
  }
}

function numberOf({ asInt, asDouble }: OtlpNumberPoint): number {
  const number = Number(asInt ?? asDouble ?? 0);
  return Number.isFinite(number) ? number : 0;
}

/**
 * Returns the points of the intervals from `first` to `last`. One without a report has no calls, and no saturation; one that
 * drifting exports have passed over has no point.
 */
function signalsOf(name: string, service: Service, first: number, last: number): ServiceSignals {
  const from = Math.max(first, Math.min(...service.intervals.keys()));
  const numbers = Array.from({ length: Math.max(0, last - from + 1) }, (_, index) => from + index).filter(
    (number) => service.intervals.has(number) || !service.passedOver.has(number),
  );
  return {
    service: name,
    methods: [...service.methods].sort().map((method) => ({
      method,
      points: numbers.map((number) => methodPoint(number, service.intervals.get(number)?.calls.get(method))),
    })),
    saturation: numbers.flatMap((number) => {
      const interval = service.intervals.get(number);
      return interval ? [saturationPoint(number, interval)] : [];
    }),
  };
}

function methodPoint(number: number, calls: MethodCalls | undefined): MethodPoint {
  const perSecond = (count: number) => (count * 1000) / intervalMs;
  const quantileMs = (share: number) => {
    const seconds = calls ? quantileOf(calls.durations, share) : null;
    return seconds === null ? null : seconds * 1000;
  };
  return {
    atMs: number * intervalMs,
    perSecond: perSecond(calls?.durations.count ?? 0),
    errorsPerSecond: Object.fromEntries(
      [...(calls?.errors ?? [])].map(([code, count]) => [code, perSecond(count)]),
    ),
    p50Ms: quantileMs(0.5),
    p95Ms: quantileMs(0.95),
    p99Ms: quantileMs(0.99),
  };
}

function saturationPoint(number: number, { gauges: sums, replicas }: Interval): SaturationPoint {
  const averages = averaged.map((field) => [field, sums[field] / replicas]);
  return { atMs: number * intervalMs, ...sums, ...Object.fromEntries(averages) };
}
