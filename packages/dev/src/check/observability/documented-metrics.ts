/** Prometheus's names of the metrics that services export, each with the labels that it may have. */
export type DocumentedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** A row of docs/observability.md: `| name | type | unit | labels | what it tells |`. */
const row = /^\| `([a-z0-9_.]+)` \| (counter|gauge|histogram) \|([^|]*)\|([^|]*)\|/gm;

/**
 * The metrics that the document lists, which is what everybody may rely on: dashboards and alerts are checked against
 * it, and it against what the services really export.
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
