import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { readPrometheusConfig } from '../observability/prometheus-config.ts';
import type { ComposeContainer } from './compose-project.ts';
import { bindMounts, mountedFile } from './mounted-file.ts';

/** A folder from which Grafana loads its configuration at the start. */
const provisioning = '/etc/grafana/provisioning';

interface DashboardProviders {
  readonly providers?: readonly { readonly options: { readonly path: string } }[];
}

/**
 * Requires that every file and folder that a container mounts exists, that the configuration with which it starts is among
 * them, and that each pattern and folder which that configuration names matches at least one mounted file.
 */
export function mountProblems(root: string, containers: ReadonlyMap<string, ComposeContainer>): string[] {
  return [...containers].flatMap(([name, container]) =>
    [
      ...bindMounts(container)
        .filter(({ source }) => !existsSync(join(root, source)))
        .map(({ source }) => `mounts ${source}, which does not exist`),
      ...configurationProblems(root, container),
      ...provisioningProblems(root, container),
    ].map((problem) => `container ${name} ${problem}`),
  );
}

/** Checks the file of the option `--config` or `--config.file`, and what it includes if it is of Prometheus. */
function configurationProblems(root: string, container: ComposeContainer): string[] {
  return (container.command ?? []).flatMap((argument) => {
    const [, suffix, path = ''] = /^--config(\.file)?=(\/.*)/.exec(argument) ?? [];
    if (!path) return [];
    const file = mountedFile(container, path);
    if (file === undefined || !existsSync(join(root, file)))
      return [`starts with ${path}, which it does not mount`];
    if (!suffix) return [];
    return [...readPrometheusConfig(join(root, file)).patterns.keys()]
      .filter((pattern) => matches(root, container, resolve(dirname(path), pattern)) === 0)
      .map((pattern) => `reads ${pattern}, which matches no mounted file`);
  });
}

/** Checks the data sources and the dashboards of Grafana. */
function provisioningProblems(root: string, container: ComposeContainer): string[] {
  if (!bindMounts(container).some(({ target }) => target.startsWith(provisioning))) return [];
  const kinds = ['datasources', 'dashboards'].filter(
    (kind) => matches(root, container, `${provisioning}/${kind}/*.yaml`) === 0,
  );
  const providers = mountedFile(container, `${provisioning}/dashboards`);
  const paths = globSync(`${providers}/*.yaml`, { cwd: root }).flatMap((file) => {
    const { providers = [] }: DashboardProviders = parse(readFileSync(join(root, file), 'utf8'));
    return providers.map(({ options }) => options.path);
  });
  return [
    ...kinds.map((kind) => `provisions no ${kind}`),
    ...paths
      .filter((path) => matches(root, container, `${path}/*.json`) === 0)
      .map((path) => `loads dashboards from ${path}, which has none`),
  ];
}

/** Returns the number of mounted files that a pattern of paths in the container matches. */
function matches(root: string, container: ComposeContainer, pattern: string): number {
  const mounted = mountedFile(container, pattern);
  return mounted === undefined ? 0 : globSync(mounted, { cwd: root }).length;
}
