import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseCounters } from './metered-database.ts';
import { type MeteredPair, type ServiceName, serviceNames } from './metered-pair.ts';

/** What a service and its database use for some work, or for an order. */
export interface Usage extends DatabaseCounters {
  /** Processor time of the service's process. */
  readonly processMs: number;
  /** Processor time of all processes of its database. */
  readonly databaseMs: number;
}

export type PairUsage = Readonly<Record<ServiceName, Usage>>;

export interface Used<T> {
  readonly result: T;
  readonly usage: PairUsage;
  /** Duration of the work. Processor time is measured for as long. */
  readonly workS: number;
  /** Duration in which the databases have counted: the work, and the time until their counts are published. */
  readonly countedS: number;
}

/** PostgreSQL publishes the counts of an idle connection after 10 s (PGSTAT_IDLE_INTERVAL). */
const publishMs = 10_500;

/** Runs the work, and returns its result with what the pair has used meanwhile. */
export async function measureUsage<T>({ services }: MeteredPair, work: () => Promise<T>): Promise<Used<T>> {
  const readAll = async <Read>(read: (name: ServiceName) => Promise<Read>) => {
    const [orders, inventory] = [await read('orders'), await read('inventory')];
    return { orders, inventory };
  };
  const readCounts = () => readAll((name) => services[name].database.readCounters());
  const readProcessors = () => readAll((name) => services[name].readProcessors());
  const countsBefore = await readCounts();
  const processorsBefore = await readProcessors();
  const startMs = performance.now();
  const result = await work();
  const workS = (performance.now() - startMs) / 1000;
  const processors = await readProcessors();
  await sleep(publishMs);
  const counts = await readCounts();
  const countedS = (performance.now() - startMs) / 1000;
  const usageOf = (name: ServiceName): Usage => ({
    ...difference(counts[name], countsBefore[name]),
    ...difference(processors[name], processorsBefore[name]),
  });
  return { result, usage: { orders: usageOf('orders'), inventory: usageOf('inventory') }, workS, countedS };
}

/** Figures of which an idle pair uses some too, for the settler's polls and health checks, with the time that they cover. */
const idleFigures = new Map<keyof Usage, 'workS' | 'countedS'>([
  ['processMs', 'workS'],
  ['databaseMs', 'workS'],
  ['statements', 'countedS'],
  ['commits', 'countedS'],
]);

/** Returns the usage of one order, without that of an idle pair. */
export function costOfOrder(loaded: Used<unknown>, idle: Used<unknown>, orderCount: number): PairUsage {
  const costOf = (name: ServiceName) =>
    mapValues(loaded.usage[name], (value, figure) => {
      const duration = idleFigures.get(figure);
      const idleValue = duration ? (idle.usage[name][figure] / idle[duration]) * loaded[duration] : 0;
      return (value - idleValue) / orderCount;
    });
  return { orders: costOf('orders'), inventory: costOf('inventory') };
}

/** Summarises a figure of several measurements, such as by their median. */
export function summarize(
  costs: readonly PairUsage[],
  summaryOf: (figure: keyof Usage, values: readonly number[]) => number,
): PairUsage {
  const [first] = costs;
  if (!first) throw new Error('there are no measurements');
  const summary = (name: ServiceName) =>
    mapValues(first[name], (_, figure) =>
      summaryOf(
        figure,
        costs.map((cost) => cost[name][figure]),
      ),
    );
  return { orders: summary('orders'), inventory: summary('inventory') };
}

export function isProcessorTime(figure: keyof Usage): boolean {
  return figure === 'processMs' || figure === 'databaseMs';
}

/** Returns the sum of a figure over both services. */
export function total(usage: PairUsage, figure: keyof Usage): number {
  return serviceNames.reduce((sum, name) => sum + usage[name][figure], 0);
}

function difference<Counters extends object>(after: Counters, before: Counters): Counters {
  return mapValues(after, (value, name) => value - (before[name] as number));
}

function mapValues<Values extends object>(
  values: Values,
  map: (value: number, name: keyof Values) => number,
): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, map(value, name as keyof Values)]),
  ) as Values;
}
