import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Embedded, startEmbedded } from '@acme/postgres/embedded';
import { changedMigrations } from '@acme/postgres/migrations';
import { audienceOf, openDevelopmentKeys } from '../credentials/development-keys.ts';
import { withCalledServices } from '../repository/called-services.ts';
import type { ServedConsole } from '../repository/console-entry.ts';
import { root } from '../repository/paths.ts';
import type { RunningServices, ServicesEvents } from '../repository/running-services.ts';
import type { ServiceEntry } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';
import { freePort } from './process/free-port.ts';
import { type SupervisedService, startSupervisedService } from './process/supervised-service.ts';
import { serviceVariables } from './variables/service-variables.ts';

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
  /** Port of PostgreSQL. Default: any free port. */
  readonly postgresPort?: number;
  /** Names of the services whose databases are deleted and built again. Default: none. */
  readonly reset?: ReadonlySet<string>;
  /** The page about the services, which sees their calls and telemetry. Default: none. */
  readonly console?: ServedConsole | undefined;
  /** Called after each step of the start. */
  readonly onStep: (description: string) => void;
}

const daySeconds = 24 * 60 * 60;

/** Starts PostgreSQL, if a service has a database, and the services as processes, with development keys and tokens. */
export async function startServices(options: StartOptions): Promise<RunningServices> {
  const { dataFolder, ports, webPorts = {}, metricsPorts = {}, reset = new Set(), console, onStep } = options;
  const names = options.services.map(({ name }) => name);
  const services = withCalledServices(options.services, names);
  const targets: Record<string, string> = {};
  for (const { name, port } of services)
    targets[name] = `127.0.0.1:${await freePort(ports[name] ?? port, `--${name}-port N`)}`;
  const webTargets: Record<string, string> = {};
  const events = new EventEmitter<ServicesEvents>();
  const supervised: SupervisedService[] = [];
  await using started = new AsyncDisposableStack();
  const database = services.some(hasDatabase)
    ? started.use(await startDatabase(join(dataFolder, 'postgres'), options.postgresPort, events))
    : undefined;
  if (database) onStep(`PostgreSQL on 127.0.0.1:${database.port}`);
  const keys = await openDevelopmentKeys(dataFolder);
  await mkdir(join(dataFolder, 'logs'), { recursive: true });
  for (const service of services) {
    const { name } = service;
    if (database && hasDatabase(service)) await prepareDatabase(name, database, reset.has(name));
    const variables = await serviceVariables(service, {
      ...{ dataFolder, keys, services, targets, console, onStep },
      databaseUrl: database && hasDatabase(service) ? database.url(name) : undefined,
      webPort: webPorts[name],
      metricsPort: metricsPorts[name],
    });
    const listenAddress = targetOf({ targets }, name);
    const processOptions = {
      name,
      main: pathToFileURL(join(root, 'services', name, 'src/main.ts')).href,
      listenAddress,
      logFile: join(dataFolder, 'logs', `${name}.log`),
      environment: variables,
    };
    const running = await startSupervisedService(processOptions, events);
    supervised.push(started.adopt(running, (each) => each.close()));
    onStep(`${name} on ${listenAddress}`);
    const { WEB_LISTEN_ADDRESS: webTarget } = variables;
    if (webTarget === undefined) continue;
    webTargets[name] = webTarget;
    onStep(`${name} for browsers on http://${webTarget}`);
  }
  const running = started.move();
  return {
    targets,
    webTargets,
    services: supervised,
    database,
    events,
    databaseUrl: (service) => {
      if (!database) throw new Error(`${service} has no database`);
      return database.url(service);
    },
    restart: async (name) => {
      const service = supervised.find((each) => each.name === name);
      if (!service) throw new Error(`there is no service ${name}. The services are: ${names.join(', ')}`);
      await service.restart();
    },
    token: async (subject, scopes, audience = audienceOf(scopes), ttlSeconds = daySeconds) =>
      keys.sign({ audience, subject, scopes, ttlSeconds }),
    close: () => running.disposeAsync(),
  };
}

async function startDatabase(
  dataFolder: string,
  port: number | undefined,
  events: EventEmitter<ServicesEvents>,
): Promise<Embedded> {
  const database = await startEmbedded({
    dataFolder,
    // No connection of this machine takes the port while the server is down.
    port: await freePort(port, '--postgres-port N'),
    onExit: () => events.emit('databaseExited', database),
    onRestart: () => events.emit('databaseServing', database),
  });
  return database;
}

async function prepareDatabase(name: string, database: Embedded, isReset: boolean): Promise<void> {
  if (isReset) await database.dropDatabase(name);
  await database.ensureDatabase(name);
  await requireUnchangedMigrations(name, database.url(name));
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
