import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Connections } from '@acme/postgres/pool';
import { EnvironmentError, readEnvironment } from '@acme/rpc/config';
import type { PeerScopes, ServerConfig } from '@acme/rpc/server';

export type Variables = Readonly<Record<string, string>>;

/** The settings that a service reads from the environment of its container. */
export interface ServiceSettings {
  readonly port: number;
  /** Undefined without a web port. */
  readonly webPort?: number | undefined;
  readonly audience: string;
  /** V8's heap limit. NaN when Node chooses it. */
  readonly heapMib: number;
  readonly metricsPort: number;
  readonly drainTimeoutMs: number;
  /** Database connections of a replica. Undefined for a service without a database. */
  readonly connections?: Connections | undefined;
  /** Scopes of the callers that are authenticated by certificate, by SPIFFE ID. */
  readonly peers: PeerScopes;
  /** The environment of its container. */
  readonly variables: Variables;
  /** The services that it calls. */
  readonly targets: readonly { readonly host: string; readonly port: number }[];
  readonly problems: readonly string[];
}

const noSettings: ServiceSettings = {
  port: 0,
  audience: '',
  heapMib: 0,
  metricsPort: 0,
  drainTimeoutMs: 0,
  peers: new Map(),
  variables: {},
  targets: [],
  problems: [],
};

/**
 * Runs the service's own `config.ts` on the environment of its container. Reports the errors of the reader, and the
 * variables that it does not read.
 */
export async function readServiceSettings(
  name: string,
  variables: Variables,
  servicesFolder: string,
): Promise<ServiceSettings> {
  const file = join(servicesFolder, name, 'src/config.ts');
  if (!existsSync(file)) return { ...noSettings, problems: [`is not a service: ${file} does not exist`] };
  const problems: string[] = [];
  const { readConfig } = await import(pathToFileURL(file).href);
  const read = new Set<string>();
  // In a container, `--env-file` sets it from a file.
  const environment = { ...variables, DATABASE_URL: 'postgres://user@host/database?sslmode=verify-full' };
  let server: ServerConfig | undefined;
  try {
    server = readConfig(readEnvironment(environment, ({ name }) => read.add(name))).server;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    problems.push(`would not start: ${error.message}`);
  }
  for (const name of Object.keys(environment))
    if (!read.has(name) && !name.startsWith('OTEL_') && !['NODE_OPTIONS', 'DATABASE_URL'].includes(name))
      problems.push(`sets ${name}, which it does not read`);
  const connections = await readConnections(join(servicesFolder, name, 'src/connections.ts'));
  if (read.has('DATABASE_URL') && !connections)
    problems.push(`does not state its database connections: write services/${name}/src/connections.ts`);
  return {
    port: Number(server?.listenAddress.split(':').at(-1)),
    webPort: server?.web && Number(server.web.address.split(':').at(-1)),
    audience: server?.auth?.audience ?? '',
    heapMib: Number(/--max-old-space-size=(\d+)/.exec(variables.NODE_OPTIONS ?? '')?.[1]),
    metricsPort: Number(variables.OTEL_EXPORTER_PROMETHEUS_PORT),
    drainTimeoutMs: server?.drainTimeoutMs ?? 0,
    connections,
    peers: server?.peers ?? new Map(),
    variables,
    targets: Object.values(variables).flatMap(targetsIn),
    problems,
  };
}

/** Returns what the module of a service exports, undefined if there is none. */
async function readConnections(file: string): Promise<Connections | undefined> {
  return existsSync(file) ? (await import(pathToFileURL(file).href)).connections : undefined;
}

function targetsIn(value: string): { host: string; port: number }[] {
  const [, host, port] = /^dns:\/\/\/([^:]+):(\d+)$/.exec(value) ?? [];
  return host ? [{ host, port: Number(port) }] : [];
}
