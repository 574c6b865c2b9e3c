/** The metrics that services export, by their Prometheus names, each with its possible labels. */
export type DocumentedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** A row of docs/observability.md: `| name | type | unit | labels | meaning |`. */
const row = /^\| `([a-z0-9_.]+)` \| (counter|gauge|histogram) \|([^|]*)\|([^|]*)\|/gm;

/**
 * Parses the tables of metrics in docs/observability.md. Dashboards and alerts are checked against them; a test in
 * test/src/operation checks them against the metrics that the services export.
 */
export function documentedMetrics(markdown: string): DocumentedMetrics {
  const metrics = new Map<string, ReadonlySet<string>>();
  for (const [, name = '', type, , labelList = ''] of markdown.matchAll(row)) {
    const labels = [...labelList.matchAll(/`([^`]+)`/g)].map(([, label = '']) => prometheusName(label));
    const prometheus = prometheusName(name);
    if (type === 'histogram') {
      for (const suffix of ['count', 'sum']) metrics.set(`${prometheus}_${suffix}`, new Set(labels));
      metrics.set(`${prometheus}_bucket`, new Set([...labels, 'le']));
    } else metrics.set(type === 'counter' ? `${prometheus}_total` : prometheus, new Set(labels));
  }
  return metrics;
}

function prometheusName(name: string): string {
  return name.replaceAll('.', '_');
}
