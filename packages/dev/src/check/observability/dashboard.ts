import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../repository/paths.ts';

/** A dashboard of Grafana's, as far as its queries and their layout go. */
export interface Dashboard {
  /** Without its folder and `.json`. */
  readonly name: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: GridPosition;
  readonly fieldConfig?: {
    readonly defaults: { readonly unit: string; readonly min?: number; readonly max?: number };
  };
  readonly targets?: readonly Target[];
}

/** In Grafana's units: a dashboard is 24 of them wide. */
export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Target {
  readonly expr: string;
  /** `{{label}}` stands for a label's value. */
  readonly legendFormat: string;
}

/** Every dashboard under deploy/observability. */
export function readDashboards(): Dashboard[] {
  const folder = join(root, 'deploy/observability/grafana/dashboards');
  return globSync('*.json', { cwd: folder })
    .toSorted()
    .map((file) => ({
      ...JSON.parse(readFileSync(join(folder, file), 'utf8')),
      name: file.slice(0, -'.json'.length),
    }));
}
