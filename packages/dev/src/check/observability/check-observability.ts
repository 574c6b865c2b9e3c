import { type DocumentedMetrics, readDocumentedMetrics } from './documented-metrics.ts';
import { namesInPromql } from './promql-names.ts';
import { type PlacedQuery, readQueries } from './read-queries.ts';

/** Labels that Prometheus, or the configuration of a scrape, adds to every series. */
const targetLabels = ['job', 'instance', 'component'];

/** Lists the metrics and labels in dashboards and alerts that no document lists, a line each; undefined when there are none. */
export function checkObservability(): string | undefined {
  const { queries, records } = readQueries();
  const problems = queryProblems(queries, { metrics: readDocumentedMetrics(), records });
  return problems.length > 0 ? problems.join('\n') : undefined;
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
      if (!known) problems.push(`${place}: the documents list no metric ${metric}`);
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
