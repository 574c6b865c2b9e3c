import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startEmbedded } from '@acme/postgres/embedded';
import { changedMigrations } from '@acme/postgres/migrations';
import { audienceOf, developmentIssuer, openDevelopmentKeys } from '../credentials/development-keys.ts';
import { withCalledServices } from '../repository/called-services.ts';
import { root } from '../repository/paths.ts';
import type { ServiceEntry } from '../repository/service-entry.ts';
import { type ServicesAccess, targetOf } from '../repository/services-access.ts';
import { callVariables } from './call-variables.ts';
import { freePort } from './free-port.ts';
import { metricsVariables } from './metrics-variables.ts';
import { type ServiceProcess, type ServiceProcessOptions, startServiceProcess } from './service-process.ts';
import { webVariables } from './web-variables.ts';

export interface StartOptions {
  readonly dataFolder: string;
  /** The services, with all that they call. A service is started after those that it calls. */
  readonly services: readonly ServiceEntry[];
  /** Port of each service, by its name. 0 is any free port. */
  readonly ports: Readonly<Record<string, number>>;
  /** Port of each service for browsers. A service that is absent here, or whose port is taken, has none. */
  readonly webPorts?: Readonly<Record<string, number>> | undefined;
  /** Port of the metrics of each service. A service that is absent here, or whose port is taken, serves none. */
  readonly metricsPorts?: Readonly<Record<string, number>> | undefined;
  /** Names of the services whose databases are deleted and built again. Default: none. */
  readonly reset?: ReadonlySet<string>;
  /** Called after each step of the start. */
  readonly onStep: (description: string) => void;
}

export interface RunningServices extends ServicesAccess {
  readonly services: readonly ServiceProcess[];
  /** Address of each service for browsers: `127.0.0.1:8051`. A service without a web port is absent. */
  readonly webTargets: Readonly<Record<string, string>>;
  /** Returns the URL of a service's database. */
  databaseUrl(service: string): string;
  /** Starts a service that has exited, on the same address. */
  restart(service: string): Promise<void>;
  /** Drains the services, callers first, and then stops the database. */
  close(): Promise<void>;
}

const daySeconds = 24 * 60 * 60;

/** Starts PostgreSQL, if a service has a database, and the services as processes, with development keys and tokens. */
export async function startServices(options: StartOptions): Promise<RunningServices> {
  const { dataFolder, ports, webPorts = {}, metricsPorts = {}, reset = new Set(), onStep } = options;
  const names = options.services.map(({ name }) => name);
  const services = withCalledServices(options.services, names);
  const targets: Record<string, string> = {};
  const webTargets: Record<string, string> = {};
  for (const { name, port } of services) targets[name] = `127.0.0.1:${await freePort(ports[name] ?? port)}`;
  const database = services.some(hasDatabase)
    ? await startEmbedded({ dataFolder: join(dataFolder, 'postgres') })
    : undefined;
  const processes: ServiceProcess[] = [];
  const processOptions: ServiceProcessOptions[] = [];
  const restart = async (name: string) => {
    const index = processOptions.findIndex((each) => each.name === name);
    const options = processOptions[index];
    if (!options) throw new Error(`${name} was not started`);
    processes[index] = await startServiceProcess(options);
  };
  const close = async () => {
    for (const service of processes.toReversed()) await service.stop();
    await database?.close();
  };
  try {
    if (database) onStep(`PostgreSQL on 127.0.0.1:${database.port}`);
    const keys = await openDevelopmentKeys(dataFolder);
    await mkdir(join(dataFolder, 'logs'), { recursive: true });
    for (const service of services) {
      const { name } = service;
      if (database && hasDatabase(service)) {
        if (reset.has(name)) await database.dropDatabase(name);
        await database.ensureDatabase(name);
        await requireUnchangedMigrations(name, database.url(name));
      }
      const listenAddress = targetOf({ targets }, name);
      const metricsPort = metricsPorts[name];
      const web = await webVariables(name, webPorts[name], onStep);
      const options: ServiceProcessOptions = {
        name,
        main: pathToFileURL(join(root, 'services', name, 'src/main.ts')).href,
        listenAddress,
        logFile: join(dataFolder, 'logs', `${name}.log`),
        environment: {
          ...(database && hasDatabase(service) && { DATABASE_URL: database.url(name) }),
          AUTH_JWKS: keys.jwksFile,
          AUTH_ISSUER: developmentIssuer,
          AUTH_AUDIENCE: name,
          // Without certificates there are no peers to trust.
          ...(isCalled(name, services) && { TRACE_CONTEXT: 'all' }),
          ...web,
          ...(metricsPort !== undefined && (await metricsVariables(name, metricsPort, onStep))),
          ...(await callVariables(service, { dataFolder, targets, keys })),
        },
      };
      processes.push(await startServiceProcess(options));
      processOptions.push(options);
      onStep(`${name} on ${listenAddress}`);
      if (web.WEB_LISTEN_ADDRESS === undefined) continue;
      webTargets[name] = web.WEB_LISTEN_ADDRESS;
      onStep(`${name} for browsers on http://${web.WEB_LISTEN_ADDRESS}`);
    }
    return {
      targets,
      webTargets,
      services: processes,
      databaseUrl: (service) => {
        if (!database) throw new Error(`${service} has no database`);
        return database.url(service);
      },
      restart,
      token: async (subject, scopes, audience = audienceOf(scopes)) =>
        keys.sign({ audience, subject, scopes, ttlSeconds: daySeconds }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Throws an Error for a service whose migration was changed after it was applied, as the first one is until it is released.
 * The service would reject it without the remedy of a development database.
 */
async function requireUnchangedMigrations(name: string, url: string): Promise<void> {
  const folder = join(root, 'services', name, 'migrations');
  const [changed] = existsSync(folder) ? await changedMigrations(url, pathToFileURL(folder)) : [];
  if (changed !== undefined)
    throw new Error(
      `${name}: the migration ${changed} was changed after it was applied. If it was never released, ` +
        `npm start -- --reset ${name} deletes the database of ${name} in this data folder and builds it again. ` +
        'Otherwise restore the file, and put the change in a new one',
    );
}

function hasDatabase({ hasDatabase = true }: ServiceEntry): boolean {
  return hasDatabase;
}

function isCalled(name: string, services: readonly ServiceEntry[]): boolean {
  return services.some(({ calls }) => name in calls);
}
