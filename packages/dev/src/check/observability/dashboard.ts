import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../repository/paths.ts';

/** A Grafana dashboard, reduced to its queries. */
export interface Dashboard {
  /** File name without `.json`. */
  readonly name: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

/** Reads every dashboard in deploy/observability. */
export function readDashboards(): Dashboard[] {
  const folder = join(root, 'deploy/observability/grafana/dashboards');
  return globSync('*.json', { cwd: folder })
    .toSorted()
    .map((file) => ({
      ...JSON.parse(readFileSync(join(folder, file), 'utf8')),
      name: file.slice(0, -'.json'.length),
    }));
}
