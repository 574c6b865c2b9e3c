import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { policyOf } from '@acme/rpc/call/policy';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { services } from '../repository/services.ts';
import { targetOf } from '../repository/services-access.ts';
import { announceServices, withdrawServices } from './running-services.ts';
import { type RunningServices, startServices } from './start-services.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: defaultDataFolder },
    ...Object.fromEntries(
      services
        .flatMap(({ name }) => [`${name}-port`, `${name}-metrics-port`])
        .map((option) => [option, { type: 'string' as const }]),
    ),
  },
});
const dataFolder = resolve(values.data);
const given: Readonly<Record<string, string | undefined>> = values;
const ports: Record<string, number> = {};
const metricsPorts: Record<string, number> = {};
for (const { name, port, metricsPort } of services) {
  ports[name] = portOption(`${name}-port`, port);
  metricsPorts[name] = portOption(`${name}-metrics-port`, metricsPort);
}

const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  const starting = startServices({
    dataFolder,
    services,
    ports,
    metricsPorts,
    onStep: (what) => say(`  up  ${what}`),
  });
  const running = await untilStopped(starting);
  for (const { seed } of services) if (seed) say(`  up  ${await seed(running)}`);
  await announceServices(dataFolder, running);
  say(await invitation(running));
} catch (error) {
  fail(error);
}

function portOption(name: string, fallback: number): number {
  const text = given[name];
  if (text === undefined) return fallback;
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? Number(text)
    : fail(`--${name} wants a port from 0 to 65535`);
}

/** Ctrl-C and SIGTERM drain whatever is up by then; a second one does not wait. A service that dies ends the rest. */
async function untilStopped(starting: Promise<RunningServices>): Promise<RunningServices> {
  let stopping = false;
  const stop = async (exitCode: number, why: string) => {
    if (stopping) return;
    stopping = true;
    say(why);
    await withdrawServices(dataFolder);
    await starting.then(
      (running) => running.close(),
      () => {},
    );
    process.exit(exitCode);
  };
  process.on('SIGINT', () => stop(0, '\nstopping: what is under way is finished first'));
  process.on('SIGTERM', () => stop(0, 'stopping: what is under way is finished first'));
  const running = await starting;
  for (const service of running.services)
    service.process.once('exit', (code, signal) =>
      stop(1, `${service.name} ended (${signal ?? code}): see ${dataFolder}/logs/${service.name}.log`),
    );
  return running;
}

async function invitation(running: RunningServices): Promise<string> {
  const examples = services.flatMap(({ name, descriptor, examples }) =>
    examples.map(({ method, request }) => ({
      service: name,
      target: targetOf(running, name),
      method: `${descriptor.typeName}/${method}`,
      request: `'${JSON.stringify(request)}'`,
      scopes: descriptor.methods
        .filter((each) => each.name === method)
        .flatMap((each) => policyOf(each).scopes),
    })),
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

Or with grpcurl, and a token for ${first.service} that is alice's for a day:

  export TOKEN=${token}
  grpcurl -plaintext ${first.target} list
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d ${first.request} ${first.target} ${first.method}
`;
}
