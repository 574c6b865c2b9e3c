import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../repository/paths.ts';
import { readDashboards } from './dashboard.ts';
import { type DocumentedMetrics, documentedMetrics } from './documented-metrics.ts';
import { namesInPromql } from './promql-names.ts';

/** A query, and where it stands. */
export interface PlacedQuery {
  readonly place: string;
  readonly query: string;
}

/** What Prometheus adds to every series that it scrapes. */
const targetLabels = ['job', 'instance'];

/** What is wrong with the queries of dashboards and alerts, undefined for nothing. */
export function observabilityDrift(): string | undefined {
  const markdown = readFileSync(join(root, 'docs/observability.md'), 'utf8');
  const { queries, records } = readQueries();
  const problems = queryProblems(queries, { metrics: documentedMetrics(markdown), records });
  return problems.length > 0 ? problems.join('\n') : undefined;
}

/** Every query under deploy/observability, and what its rules record. */
export function readQueries(): { queries: PlacedQuery[]; records: Set<string> } {
  const queries: PlacedQuery[] = [];
  const records = new Set<string>();
  const folder = join(root, 'deploy/observability');
  for (const file of globSync('prometheus/rules/*.yml', { cwd: folder })) {
    const { groups } = parse(readFileSync(join(folder, file), 'utf8')) as RuleFile;
    for (const { record, alert, expr } of groups.flatMap(({ rules }) => rules)) {
      if (record) records.add(record);
      queries.push({ place: `${file}, ${record ?? alert}`, query: expr });
    }
  }
  for (const { name, panels } of readDashboards())
    for (const { title, targets = [] } of panels)
      queries.push(...targets.map(({ expr }) => ({ place: `dashboard ${name}, ${title}`, query: expr })));
  return { queries, records };
}

/** Names that nobody exports: a panel that asks for one stays empty, and an alert that does never fires. */
export function queryProblems(
  queries: readonly PlacedQuery[],
  { metrics, records }: { metrics: DocumentedMetrics; records: ReadonlySet<string> },
): string[] {
  const labelsOf = (metric: string): ReadonlySet<string> | undefined =>
    metric === 'up' || records.has(metric) ? new Set() : metrics.get(metric);
  return queries.flatMap(({ place, query }) => {
    const { selectors, grouping } = namesInPromql(query);
    const all = new Set(targetLabels);
    const problems: string[] = [];
    for (const { metric, labels } of selectors) {
      const known = labelsOf(metric);
      if (!known) problems.push(`${place}: docs/observability.md lists no metric ${metric}`);
      for (const label of known ?? []) all.add(label);
      for (const label of labels)
        if (known && !known.has(label) && !targetLabels.includes(label))
          problems.push(`${place}: ${metric} has no label ${label}`);
    }
    for (const label of grouping)
      if (!all.has(label)) problems.push(`${place}: nothing in the query has a label ${label}`);
    return problems;
  });
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[];
  }[];
}
