import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

/** A job of Prometheus, with the fields that the rules read. */
export interface ScrapeJob {
  readonly job_name: string;
  readonly static_configs?: readonly {
    readonly targets: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  }[];
  readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
  readonly relabel_configs?: readonly { readonly target_label?: string; readonly replacement?: string }[];
}

export interface PrometheusConfig {
  /** The files that each pattern of `rule_files` and `scrape_config_files` matches. */
  readonly patterns: ReadonlyMap<string, readonly string[]>;
  readonly jobs: readonly ScrapeJob[];
}

interface File {
  readonly rule_files?: readonly string[];
  readonly scrape_config_files?: readonly string[];
  readonly scrape_configs?: readonly ScrapeJob[];
}

/** Reads a configuration of Prometheus with the files that its patterns match. Patterns start in its folder. */
export function readPrometheusConfig(file: string): PrometheusConfig {
  const folder = dirname(file);
  const { rule_files = [], scrape_config_files = [], scrape_configs = [] } = readYaml(file);
  const matches = (pattern: string) => globSync(pattern, { cwd: folder }).map((each) => join(folder, each));
  return {
    patterns: new Map([...rule_files, ...scrape_config_files].map((pattern) => [pattern, matches(pattern)])),
    jobs: [
      ...scrape_configs,
      ...scrape_config_files.flatMap(matches).flatMap((each) => readYaml(each).scrape_configs ?? []),
    ],
  };
}

function readYaml(file: string): File {
  return parse(readFileSync(file, 'utf8')) ?? {};
}
