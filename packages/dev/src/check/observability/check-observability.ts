import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../repository/paths.ts';
import { type DocumentedMetrics, documentedMetrics } from './documented-metrics.ts';
import { namesInPromql } from './promql-names.ts';

/** A query and its place, as messages name it. */
export interface PlacedQuery {
  readonly place: string;
  readonly query: string;
}

/** Labels that Prometheus, or the configuration of a scrape, adds to every series. */
const targetLabels = ['job', 'instance', 'component'];

/**
 * Lists the metrics and labels in dashboards and alerts that docs/observability.md does not document, a line each. Returns
 * undefined when there are none.
 */
export function checkObservability(): string | undefined {
  const markdown = readFileSync(join(root, 'docs/observability.md'), 'utf8');
  const { queries, records } = readQueries();
  const problems = queryProblems(queries, { metrics: documentedMetrics(markdown), records });
  return problems.length > 0 ? problems.join('\n') : undefined;
}

/** Reads every query in deploy/observability, and the names of the series that its rules record. */
export function readQueries(): { queries: PlacedQuery[]; records: Set<string> } {
  const queries: PlacedQuery[] = [];
  const records = new Set<string>();
  const folder = join(root, 'deploy/observability');
  for (const file of globSync('prometheus/rules/*.yml', { cwd: folder })) {
    const { groups }: RuleFile = parse(readFileSync(join(folder, file), 'utf8'));
    for (const { record, alert, expr } of groups.flatMap(({ rules }) => rules)) {
      if (record) records.add(record);
      queries.push({ place: `${file}, ${record ?? alert}`, query: expr });
    }
  }
  for (const file of globSync('grafana/dashboards/*.json', { cwd: folder })) {
    const { panels }: Dashboard = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    for (const { title, targets = [] } of panels)
      queries.push(...targets.map(({ expr }) => ({ place: `${file}, ${title}`, query: expr })));
  }
  return { queries, records };
}

/** Lists names that no service exports. A panel that queries one stays empty, and an alert on one never fires. */
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

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}
