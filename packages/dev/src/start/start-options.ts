import { resolve } from 'node:path';
import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { consoleEntry, services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';

/** The arguments of `npm start`. Ports are by the name of the service; 0 is any free port. */
export interface StartArguments {
  readonly dataFolder: string;
  /** Names of the services whose databases are deleted and built again. */
  readonly reset: ReadonlySet<string>;
  readonly ports: Readonly<Record<string, number>>;
  readonly webPorts: Readonly<Record<string, number>>;
  readonly metricsPorts: Readonly<Record<string, number>>;
  readonly consolePort: number;
  /** Whether the browser opens the console. */
  readonly opensConsole: boolean;
}

/** Parses the arguments of `npm start`. One that is wrong ends the process with an error. */
export function readStartArguments(): StartArguments {
  const portOptions = services.flatMap(({ name }) => [
    `${name}-port`,
    `${name}-web-port`,
    `${name}-metrics-port`,
  ]);
  if (consoleEntry) portOptions.push('console-port');
  const open = consoleEntry && { open: { type: 'boolean' as const, default: false } };
  const { values } = parseCommandLine({
    usage: `usage: npx svc start [--data FOLDER] [--reset SERVICE]${portOptions.map((option) => ` [--${option} PORT]`).join('')}${open ? ' [--open]' : ''}`,
    options: {
      data: { type: 'string', default: defaultDataFolder },
      reset: { type: 'string', multiple: true, default: [] },
      ...Object.fromEntries(portOptions.map((option) => [option, { type: 'string' as const }])),
      ...open,
    },
  });
  requireServices(values.reset);
  const given: Readonly<Record<string, unknown>> = values;
  const portOf = (option: string, fallback: number) => portFrom(option, given[option]) ?? fallback;
  const portsOf = (kind: string, fallback: (service: (typeof services)[number]) => number | undefined) =>
    Object.fromEntries(
      services.flatMap((service) => {
        const port =
          portFrom(`${service.name}-${kind}`, given[`${service.name}-${kind}`]) ?? fallback(service);
        return port === undefined ? [] : [[service.name, port]];
      }),
    );
  return {
    dataFolder: resolve(values.data),
    reset: new Set(values.reset),
    ports: portsOf('port', ({ port }) => port),
    webPorts: portsOf('web-port', ({ webPort }) => webPort),
    metricsPorts: portsOf('metrics-port', ({ metricsPort }) => metricsPort),
    consolePort: portOf('console-port', consoleEntry?.port ?? 0),
    opensConsole: given.open === true,
  };
}

function requireServices(names: readonly string[]): void {
  const unknown = names.find((name) => !services.some((each) => each.name === name));
  if (unknown !== undefined)
    fail(
      `--reset ${unknown}: there is no such service. The services are: ${services.map(({ name }) => name).join(', ')}`,
    );
}

function portFrom(option: string, text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? Number(text)
    : fail(`--${option} must be a port from 0 to 65535`);
}
