import { type DevelopmentKeys, developmentIssuer } from '../../credentials/development-keys.ts';
import type { ServedConsole } from '../../repository/console-entry.ts';
import type { ServiceEntry } from '../../repository/service-entry.ts';
import { targetOf } from '../../repository/services-access.ts';
import { callVariables } from './call-variables.ts';
import { metricsVariables } from './metrics-variables.ts';
import { webVariables } from './web-variables.ts';

export interface ServiceVariablesOptions {
  readonly dataFolder: string;
  readonly keys: DevelopmentKeys;
  /** The services that run together. */
  readonly services: readonly ServiceEntry[];
  /** Their targets. */
  readonly targets: Readonly<Record<string, string>>;
  /** URL of the service's database; undefined if it has none. */
  readonly databaseUrl: string | undefined;
  /** Port for browsers; undefined if the service has none. */
  readonly webPort: number | undefined;
  /** Port of the metrics; undefined if the service serves none. */
  readonly metricsPort: number | undefined;
  readonly console: ServedConsole | undefined;
  readonly onStep: (description: string) => void;
}

/** Returns the variables of one service that `npm start` runs. */
export async function serviceVariables(
  service: ServiceEntry,
  options: ServiceVariablesOptions,
): Promise<Record<string, string>> {
  const { name } = service;
  const { dataFolder, keys, services, databaseUrl, webPort, metricsPort, console, onStep } = options;
  const ofConsole = console ? consoleVariables(console) : {};
  const { OTEL_METRICS_EXPORTER: exporter } = ofConsole;
  return {
    ...ofConsole,
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    AUTH_JWKS: keys.jwksFile,
    AUTH_ISSUER: developmentIssuer,
    AUTH_AUDIENCE: name,
    // Without certificates there are no peers to trust.
    ...(services.some(({ calls }) => name in calls) && { TRACE_CONTEXT: 'all' }),
    ...(await webVariables(name, webPort, onStep)),
    ...(metricsPort !== undefined && (await metricsVariables(name, metricsPort, { exporter, onStep }))),
    ...(await callVariables(service, { dataFolder, targets: await targetsFor(service, options), keys })),
  };
}

/** Returns the variables of the console that this process does not have itself. */
function consoleVariables({ environment }: ServedConsole): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => process.env[name] === undefined));
}

/** Returns the targets with which a service reaches those that it calls. */
async function targetsFor(
  { name, calls }: ServiceEntry,
  { targets, console }: ServiceVariablesOptions,
): Promise<Record<string, string>> {
  const reached: Record<string, string> = {};
  for (const called of Object.keys(calls)) {
    const target = targetOf({ targets }, called);
    reached[called] = console ? await console.lineBetween(name, called, target) : target;
  }
  return reached;
}
