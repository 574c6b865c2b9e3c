import { join } from 'node:path';
import { methodName, policyOf } from '@acme/rpc/contract';
import { shellWord } from '../cli/shell-word.ts';
import { policies, services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import type { RunningServices } from '../repository/running-services.ts';
import { exampleMethod, type ServiceEntry } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';

const maxCalls = 6;

export interface ReadyTextOptions {
  readonly dataFolder: string;
  /** URL of the console, if there is one. */
  readonly page: string | undefined;
}

/** Returns the text that `npm start` prints once all services are up: what to call, and where things are. */
export function readyText(running: RunningServices, { dataFolder, page }: ReadyTextOptions): string {
  const calls = services.flatMap(callsOf);
  const opening = page === undefined ? '\nReady.' : `\nReady. The console is on ${page}`;
  const places: [name: string, text: string | undefined][] = [
    ['logs', shellWord(join(dataFolder, 'logs'))],
    ['database', databaseText(running)],
    ['restart', services[0] && `npx svc restart ${services[0].name}${dataArgument(dataFolder)}`],
    ['stop', `Ctrl-C; the data stays in ${shellWord(dataFolder)}`],
  ];
  const lines = places.flatMap(([name, text]) => (text === undefined ? [] : `  ${name.padEnd(8)}  ${text}`));
  return [
    opening,
    callsText(calls, dataArgument(dataFolder)),
    otherClientsText(calls[0], running, dataFolder),
    lines.join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n');
}

/** A call of `services.ts`, with its request as a word of a shell. */
interface PrintedCall {
  readonly service: string;
  readonly method: string;
  readonly request: string;
  readonly scopes: readonly string[];
}

function callsOf(entry: ServiceEntry): PrintedCall[] {
  return entry.examples.flatMap((example) => {
    // The checks report an example without a method.
    const method = exampleMethod(entry, example);
    if (!method) return [];
    const { scopes } = policyOf(method, policies);
    const request = shellWord(JSON.stringify(example.request));
    return { service: entry.name, method: methodName(method), request, scopes };
  });
}

/** Returns the option with which other commands find this start. */
export function dataArgument(dataFolder: string): string {
  return dataFolder === defaultDataFolder ? '' : ` --data ${shellWord(dataFolder)}`;
}

function callsText(calls: readonly PrintedCall[], data: string): string {
  if (services.length === 0) return 'There is no service yet: npm run new:service -- payments';
  if (calls.length === 0) return '';
  const lines = calls
    .slice(0, maxCalls)
    .map(({ method, request }) => `  npm run call -- ${method} ${request}${data}`);
  return `Call the services from a second terminal:\n\n${lines.join('\n')}`;
}

function otherClientsText(
  call: PrintedCall | undefined,
  running: RunningServices,
  dataFolder: string,
): string {
  if (!call) return '';
  const { service, method, request, scopes } = call;
  const signs = `npx svc token --sub alice --scopes ${shellWord(scopes.join(' '))}${dataArgument(dataFolder)}`;
  const header = scopes.length > 0 ? ' -H "authorization: Bearer $TOKEN"' : '';
  const webTarget = running.webTargets[service];
  return [
    'Or with grpcurl, or curl and browsers:\n',
    scopes.length > 0 && `  export TOKEN=$(${signs})`,
    `  grpcurl -plaintext${header} -d ${request} ${targetOf(running, service)} ${method}`,
    webTarget &&
      `  curl${header} -H 'content-type: application/json' -d ${request} http://${webTarget}/${method}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function databaseText(running: RunningServices): string | undefined {
  const [first, ...others] = services.filter(({ hasDatabase = true }) => hasDatabase);
  if (!first) return undefined;
  const also = others.length > 0 ? `   (and ${others.map(({ name }) => name).join(', ')})` : '';
  return `psql ${running.databaseUrl(first.name)}${also}`;
}
