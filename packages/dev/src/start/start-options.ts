import { resolve } from 'node:path';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { suggestion } from '../cli/arguments/nearest-name.ts';
import { flag, integer, type Option, texts } from '../cli/arguments/option.ts';
import { reject } from '../cli/reject.ts';
import { dataOption } from '../repository/data-option.ts';
import { consoleEntry, services } from '../repository/load-services.ts';

/** The arguments of `npm start`. Ports are by the name of the service; 0 is any free port. */
export interface StartArguments {
  readonly dataFolder: string;
  /** Names of the services whose databases are deleted and built again. */
  readonly reset: ReadonlySet<string>;
  readonly ports: Readonly<Record<string, number>>;
  readonly webPorts: Readonly<Record<string, number>>;
  readonly metricsPorts: Readonly<Record<string, number>>;
  readonly postgresPort: number;
  /** Whether a service is restarted when its sources change. */
  readonly watches: boolean;
  readonly consolePort: number;
  /** Whether the browser opens the console. */
  readonly opensConsole: boolean;
}

/** Parses the arguments of `npm start`. Rejects one that is wrong. */
export function readStartArguments(): StartArguments {
  const portOptions = services.flatMap(({ name, port, webPort, metricsPort }) => [
    [`${name}-port`, portOption(`port of ${name}`, port)] as const,
    [`${name}-web-port`, portOption(`port of ${name} for browsers`, webPort)] as const,
    [`${name}-metrics-port`, portOption(`port of the metrics of ${name}`, metricsPort)] as const,
  ]);
  const hasDatabase = services.some(({ hasDatabase = true }) => hasDatabase);
  const consoleOptions = consoleEntry && {
    'console-port': portOption('port of the console', consoleEntry.port),
    open: flag('opens the console in the browser'),
  };
  const { values } = parseCommandLine({
    call: 'npx svc start',
    summary:
      'Starts PostgreSQL and every service, and fills them at their first start. Port 0 is any free port.',
    options: {
      data: dataOption,
      watch: flag('restarts a service when its sources change'),
      reset: texts('SERVICE', 'deletes the database of a service, and builds it again'),
      ...Object.fromEntries(portOptions),
      ...(hasDatabase && {
        'postgres-port': portOption('port of PostgreSQL (default: any free port)', undefined),
      }),
      ...consoleOptions,
    },
  });
  requireServices(values.reset);
  const given: Readonly<Record<string, unknown>> = values;
  const portsOf = (kind: string) =>
    Object.fromEntries(
      services.flatMap(({ name }) => {
        const port = given[`${name}-${kind}`];
        return typeof port === 'number' ? [[name, port]] : [];
      }),
    );
  return {
    dataFolder: resolve(values.data),
    reset: new Set(values.reset),
    ports: portsOf('port'),
    webPorts: portsOf('web-port'),
    metricsPorts: portsOf('metrics-port'),
    postgresPort: Number(given['postgres-port'] ?? 0),
    watches: values.watch,
    consolePort: Number(given['console-port'] ?? 0),
    opensConsole: given.open === true,
  };
}

function requireServices(names: readonly string[]): void {
  const known = services.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    reject(
      `--reset: there is no service ${unknown}${suggestion(unknown, known, `the services are ${known.join(', ')}`)}`,
    );
}

function portOption(help: string, fallback: number | undefined): Option<number | undefined> {
  return integer('PORT', help, { from: 0, to: 65_535, ...(fallback !== undefined && { fallback }) });
}
