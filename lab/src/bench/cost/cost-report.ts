import { markdownTable } from '../../harness/markdown-table.ts';
import { serviceNames } from './metered-pair.ts';
import type { ServiceTable } from './sizes.ts';
import { type PairUsage, total, type Used } from './usage.ts';

/** Returns the processor time of an order in both services and their databases, in µs. */
export function processorUs(cost: PairUsage): number {
  return 1000 * (total(cost, 'processMs') + total(cost, 'databaseMs'));
}

/** Formats the cost of an order as a Markdown table, a row for each service. */
export function costTable(cost: PairUsage): string {
  const head = [
    '',
    'service, µs',
    'PostgreSQL, µs',
    'round trips',
    'transactions',
    'WAL, bytes',
    'fsyncs',
    'ms each',
  ];
  const rows = serviceNames.map((name) => {
    const { processMs, databaseMs, statements, commits, walBytes, fsyncs, fsyncMs } = cost[name];
    return [
      name,
      (1000 * processMs).toFixed(0),
      (1000 * databaseMs).toFixed(0),
      statements.toFixed(2),
      commits.toFixed(2),
      walBytes.toFixed(0),
      fsyncs.toFixed(3),
      (fsyncMs / fsyncs).toFixed(1),
    ];
  });
  return markdownTable(head, rows);
}

/** Formats the growth of the tables by one order as a Markdown table. */
export function growthTable(growth: readonly ServiceTable[]): string {
  return markdownTable(
    ['table', 'rows', 'bytes', 'bytes of indexes'],
    growth.map(({ service, table, rows, tableBytes, indexBytes }) => [
      `${service}.${table}`,
      rows.toFixed(2),
      tableBytes.toFixed(0),
      indexBytes.toFixed(0),
    ]),
  );
}

/** Returns the figures of an order for a report. */
export function costFigures(cost: PairUsage, suffix: string): Record<string, number> {
  const figures: Record<string, number> = { [`processor_us_${suffix}`]: processorUs(cost) };
  for (const name of serviceNames) {
    const { processMs, databaseMs, statements, commits, walBytes, pageImages, fsyncs, fsyncMs } = cost[name];
    const each = {
      process_us: 1000 * processMs,
      database_us: 1000 * databaseMs,
      round_trips: statements,
      transactions: commits,
      wal_bytes: walBytes,
      page_images: pageImages,
      fsyncs,
      fsync_ms: fsyncMs / fsyncs,
    };
    for (const [figure, value] of Object.entries(each)) figures[`${name}_${figure}_${suffix}`] = value;
  }
  return figures;
}

/** Returns what an idle replica of each service uses in a second, for a report. */
export function idleFigures({ usage, workS, countedS }: Used<unknown>): Record<string, number> {
  return Object.fromEntries(
    serviceNames.flatMap((name) => [
      [`${name}_idle_process_ms_per_second`, usage[name].processMs / workS],
      [`${name}_idle_database_ms_per_second`, usage[name].databaseMs / workS],
      [`${name}_idle_round_trips_per_second`, usage[name].statements / countedS],
    ]),
  );
}
