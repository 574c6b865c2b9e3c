import { type CallVariableNames, callVariableNames } from '../../repository/call-variable-names.ts';
import type { ListedService } from './listed-service.ts';
import type { ServiceSettings } from './service-settings.ts';

/** A service as one environment runs it. */
export interface DeployedService {
  readonly settings: ServiceSettings;
  /** The SPIFFE ID of its certificate. Undefined without a certificate. */
  readonly identity: string | undefined;
}

/** Where an environment sets the variables of a service, for messages. */
export interface CallPlaces {
  target(caller: string): string;
  peers(called: string): string;
}

/**
 * Requires that every service has the target of each service that it calls and a credential for it, and that the called
 * service accepts the certificates of its callers with their scopes, and no other certificates of services.
 */
export function callProblems(
  entries: readonly ListedService[],
  deployed: ReadonlyMap<string, DeployedService>,
  places: CallPlaces,
): string[] {
  return entries.flatMap((caller) => [
    ...[...callVariableNames(caller.calls)].flatMap(([name, names]) => {
      const called = entries.find((each) => each.name === name);
      if (!called) return [`${caller.name} calls ${name}, which services.ts does not list`];
      return oneCallProblems(caller, called, names, { deployed, places }).map(
        (problem) => `${caller.name} calls ${name}: ${problem}`,
      );
    }),
    ...strangerProblems(caller, entries, deployed),
  ]);
}

function oneCallProblems(
  caller: ListedService,
  called: ListedService,
  names: CallVariableNames,
  { deployed, places }: { deployed: ReadonlyMap<string, DeployedService>; places: CallPlaces },
): string[] {
  const from = deployed.get(caller.name);
  const to = deployed.get(called.name);
  // A service that is missing is a problem of its own.
  if (!from || !to) return [];
  const problems: string[] = [];
  const { variables } = from.settings;
  const target = `dns:///${called.name}:${called.port}`;
  if (variables[names.target] !== target)
    problems.push(`set ${names.target}=${target} in ${places.target(caller.name)}`);
  if (variables[names.tokenFile]) return problems;
  if (variables.TLS_MODE !== 'mtls' || from.identity === undefined)
    return [...problems, `${caller.name} has neither a certificate (TLS_MODE=mtls) nor ${names.tokenFile}`];
  const scopes = caller.calls[called.name] ?? [];
  const accepted = to.settings.peers.get(from.identity);
  if (!accepted || scopes.some((scope) => !accepted.has(scope)))
    problems.push(`add ${from.identity}=${scopes.join(' ')} to ${places.peers(called.name)}`);
  return problems;
}

/** Lists the services whose certificates a service accepts although they do not call it. */
function strangerProblems(
  called: ListedService,
  entries: readonly ListedService[],
  deployed: ReadonlyMap<string, DeployedService>,
): string[] {
  const peers = deployed.get(called.name)?.settings.peers ?? new Map();
  return entries
    .filter(({ name, calls }) => !(called.name in calls) && peers.has(deployed.get(name)?.identity ?? ''))
    .map(
      ({ name }) =>
        `AUTH_PEERS of ${called.name} accepts ${name}, which does not call it: add it to calls in services.ts, or remove it`,
    );
}
