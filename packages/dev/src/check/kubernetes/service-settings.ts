import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EnvironmentError, readEnvironment } from '@acme/rpc/config/environment';
import type { ServerConfig } from '@acme/rpc/server/server-config';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { root } from '../../repository/paths.ts';
import type { Literals } from './kustomization.ts';

/** What a service makes of its environment. */
export interface ServiceSettings {
  readonly port: number;
  readonly audience: string;
  /** V8's limit of the heap, in MiB; NaN when Node chooses one. */
  readonly heapMib: number;
  readonly metricsPort: number;
  readonly drainTimeoutMs: number;
  /** The other services that it calls. */
  readonly targets: readonly { readonly host: string; readonly port: number }[];
  readonly problems: readonly string[];
}

/** Asks a service's own `config.ts` what it makes of its container's environment, and which of it nobody reads. */
export async function readServiceSettings(
  container: IContainer | undefined,
  configMaps: ReadonlyMap<string, Literals>,
): Promise<ServiceSettings> {
  const { variables, problems } = environmentOf(container, configMaps);
  const config = join(root, 'services', container?.name ?? '', 'src/config.ts');
  if (!existsSync(config)) return { ...nothing, problems: [`is no service: ${config} is not there`] };
  const { readConfig } = await import(pathToFileURL(config).href);
  const read = new Set<string>();
  // From a file, by `--env-file`.
  const environment = {
    ...variables,
    DATABASE_URL: 'postgres://somebody@database/somewhere?sslmode=verify-full',
  };
  let server: ServerConfig | undefined;
  try {
    server = readConfig(readEnvironment(environment, ({ name }) => read.add(name))).server;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    problems.push(`would not start: ${error.message}`);
  }
  for (const name of Object.keys(environment))
    if (!read.has(name) && !name.startsWith('OTEL_') && name !== 'NODE_OPTIONS')
      problems.push(`is told ${name}, which it does not read`);
  return {
    port: Number(server?.listenAddress.split(':').at(-1)),
    audience: server?.auth.audience ?? '',
    heapMib: Number(/--max-old-space-size=(\d+)/.exec(variables.NODE_OPTIONS ?? '')?.[1]),
    metricsPort: Number(variables.OTEL_EXPORTER_PROMETHEUS_PORT),
    drainTimeoutMs: server?.drainTimeoutMs ?? 0,
    targets: Object.values(variables).flatMap(targetsIn),
    problems,
  };
}

const nothing: ServiceSettings = {
  port: 0,
  audience: '',
  heapMib: 0,
  metricsPort: 0,
  drainTimeoutMs: 0,
  targets: [],
  problems: [],
};

function environmentOf(container: IContainer | undefined, configMaps: ReadonlyMap<string, Literals>) {
  const problems: string[] = [];
  const valuesOf = (name = '') => {
    const values = configMaps.get(name);
    if (!values) problems.push(`reads ConfigMap ${name}, which nothing makes`);
    return values ?? {};
  };
  const variables: Record<string, string> = {};
  for (const { configMapRef } of container?.envFrom ?? [])
    if (configMapRef) Object.assign(variables, valuesOf(configMapRef.name));
  for (const { name, value = '', valueFrom } of container?.env ?? []) {
    const reference = valueFrom?.configMapKeyRef;
    const from = reference ? valuesOf(reference.name)[reference.key] : value;
    if (from === undefined)
      problems.push(`reads ${reference?.key} of ConfigMap ${reference?.name}, which is not in it`);
    else variables[name] = from;
  }
  return { variables, problems };
}

function targetsIn(value: string): { host: string; port: number }[] {
  const [, host, port] = /^dns:\/\/\/([^:]+):(\d+)$/.exec(value) ?? [];
  return host ? [{ host, port: Number(port) }] : [];
}
