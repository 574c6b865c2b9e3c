import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../repository/paths.ts';

/** The metrics that services export, by their Prometheus names, each with its possible labels. */
export type DocumentedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** A row of a table of metrics: `| name | type | unit | labels | meaning |`. */
const row = /^\| `([a-z0-9_.]+)` \| (counter|gauge|histogram) \|([^|]*)\|([^|]*)\|/gm;

/** Documents with tables of metrics: those of every service, and those of single services. */
const documents = ['docs/telemetry.md', 'docs/observability.md'];

/** Reads the metrics that the documents list. Dashboards, alerts and autoscalers are checked against them. */
export function readDocumentedMetrics(): DocumentedMetrics {
  return documentedMetrics(documents.map((file) => readFileSync(join(root, file), 'utf8')).join('\n'));
}

/** Parses tables of metrics in Markdown. */
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
