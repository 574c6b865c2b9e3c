import { resolve } from 'node:path';
import { methodName, policyOf } from '@acme/rpc/contract';
import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { announceServices, withdrawServices } from '../repository/announcement.ts';
import { policies, services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { exampleMethod } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';
import { seedServices } from './seed-services.ts';
import { type RunningServices, startServices } from './start-services.ts';

const portOptions = services.flatMap(({ name }) => [
  `${name}-port`,
  `${name}-web-port`,
  `${name}-metrics-port`,
]);
const { values } = parseCommandLine({
  usage: `usage: npx svc start [--data FOLDER] [--reset SERVICE]${portOptions.map((option) => ` [--${option} PORT]`).join('')}`,
  options: {
    data: { type: 'string', default: defaultDataFolder },
    reset: { type: 'string', multiple: true, default: [] },
    ...Object.fromEntries(portOptions.map((option) => [option, { type: 'string' as const }])),
  },
});
const dataFolder = resolve(values.data);
const given: Readonly<Record<string, unknown>> = values;
const unknown = values.reset.find((name) => !services.some((each) => each.name === name));
if (unknown !== undefined)
  fail(
    `--reset ${unknown}: there is no such service. The services are: ${services.map(({ name }) => name).join(', ')}`,
  );
const ports: Record<string, number> = {};
const webPorts: Record<string, number> = {};
const metricsPorts: Record<string, number> = {};
for (const { name, port, webPort, metricsPort } of services) {
  ports[name] = portOption(`${name}-port`, port);
  const web = portOption(`${name}-web-port`, webPort);
  if (web !== undefined) webPorts[name] = web;
  metricsPorts[name] = portOption(`${name}-metrics-port`, metricsPort);
}

const say = (text: string) => process.stdout.write(`${text}\n`);

let isStopping = false;

try {
  const starting = startServices({
    dataFolder,
    services,
    ports,
    webPorts,
    metricsPorts,
    reset: new Set(values.reset),
    onStep: (description) => say(`  up  ${description}`),
  });
  stopOnSignals(starting);
  const running = await starting;
  if (!isStopping) await seedServices(services, running, (data) => say(`  up  ${data}`));
  if (!isStopping) {
    await announceServices(dataFolder, running);
    say(await readyText(running));
  }
} catch (error) {
  // A step that is interrupted fails in many ways.
  if (!isStopping) fail(error);
}

function portOption<Fallback extends number | undefined>(
  name: string,
  fallback: Fallback,
): number | Fallback {
  const text = given[name];
  if (typeof text !== 'string') return fallback;
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? Number(text)
    : fail(`--${name} must be a port from 0 to 65535`);
}

/** Drains what was started, on Ctrl-C, on SIGTERM, or when a service exits. Then ends the process. */
function stopOnSignals(starting: Promise<RunningServices>): void {
  const stop = async (exitCode: number, reason: string) => {
    if (isStopping) return;
    isStopping = true;
    say(reason);
    await starting.then(
      (running) => running.close(),
      () => {},
    );
    await withdrawServices(dataFolder);
    process.exit(exitCode);
  };
  process.on('SIGINT', () => stop(0, '\nstopping: calls in flight are finished first'));
  process.on('SIGTERM', () => stop(0, 'stopping: calls in flight are finished first'));
  starting.then(
    ({ services: started }) => {
      for (const service of started)
        service.process.once('exit', (code, signal) =>
          stop(1, `${service.name} exited (${signal ?? code}): see ${dataFolder}/logs/${service.name}.log`),
        );
    },
    () => {},
  );
}

/** Returns the text that `npm start` prints once all services are up. */
async function readyText(running: RunningServices): Promise<string> {
  const examples = services.flatMap((entry) =>
    entry.examples.flatMap((example) => {
      // The checks report an example without a method.
      const method = exampleMethod(entry, example);
      if (!method) return [];
      return {
        service: entry.name,
        target: targetOf(running, entry.name),
        method: methodName(method),
        request: `'${JSON.stringify(example.request)}'`,
        scopes: policyOf(method, policies).scopes,
      };
    }),
  );
  const [first] = examples;
  const ready = `\nReady. Ctrl-C stops it; the data stays in ${dataFolder}.\n`;
  if (!first) return `${ready}\nThere is no service yet: npm run new:service -- payments\n`;
  const ofFirst = examples.filter(({ service }) => service === first.service);
  const scopes = new Set(ofFirst.flatMap((each) => each.scopes));
  const token = await running.token('alice', [...scopes], first.service);
  return `${ready}
Call it with the project's own client, in a second terminal:

${examples.map(({ method, request }) => `  npm run call -- ${method} ${request}`).join('\n')}

Or with grpcurl, and a token for ${first.service} that is valid for a day:

  export TOKEN=${token}
  grpcurl -plaintext ${first.target} list
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d ${first.request} ${first.target} ${first.method}
${curlText(running.webTargets[first.service], token, first)}`;
}

/** Returns the call with curl; an empty text for a service without a web port. */
function curlText(webTarget: string | undefined, token: string, { request, method }: PrintedCall): string {
  if (webTarget === undefined) return '';
  return `
Or with curl. Browsers call the same address:

  curl -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d ${request} http://${webTarget}/${method}
`;
}

/** A call as shells take it. */
interface PrintedCall {
  readonly method: string;
  readonly request: string;
}
