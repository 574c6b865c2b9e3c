import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../repository/paths.ts';

/** A query and its place, as messages name it. */
export interface PlacedQuery {
  readonly place: string;
  readonly query: string;
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
