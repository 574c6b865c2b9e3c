/**
 * Serves the console of the containers in docker-compose.yml, in a container of its own. The page calls the services
 * through it, because no browser trusts their certificates.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { fail, parseCommandLine } from '@acme/dev/cli';
import { services } from '@acme/dev/repository';
import { announcedPair } from '@acme/lab/pair/pair';
import { callPrefix, createCallProxy } from '../http/call-proxy.ts';
import { consoleUrl, createConsoleKey } from '../http/console-key.ts';
import { serveConsole } from '../serve-console.ts';
import { databaseContainer, serviceContainers } from './container-parts.ts';

const {
  positionals: [secrets],
} = parseCommandLine({
  call: 'node lab/console/server/compose/serve.ts',
  summary: 'Serves the console of the containers, with the folder of their secrets.',
  positionals: ['SECRETS'],
});

const port = 8050;
const publicPort = Number(process.env.CONSOLE_PORT || port);
const otlpPort = 4318;
/** The service in deploy/compose/console.yaml. */
const hostName = 'console';
/** Services whose databases the console checks. */
const names = ['orders', 'inventory'] as const;

try {
  await using stack = new AsyncDisposableStack();
  const operator = join(secrets, 'operator');
  const pair = await announcedPair(operator);
  const authority = await readFile(join(operator, 'certs/ca.crt'), 'utf8');
  const webPorts = services.flatMap(({ name, webPort }) => (webPort ? [[name, webPort] as const] : []));
  const urls = Object.fromEntries(webPorts.map(([name, webPort]) => [name, `https://${name}:${webPort}`]));
  const calls = stack.use(createCallProxy(urls, authority));
  const key = createConsoleKey();
  const console = stack.use(
    await serveConsole({
      host: '0.0.0.0',
      port,
      publicPort,
      key,
      otlpPort,
      hostName,
      telemetryElsewhere: process.env.OTEL_EXPORTER_OTLP_ENDPOINT || null,
      onCall: calls.forward,
    }),
  );
  const { credentials, ordersTarget, inventoryTarget } = pair;
  const targets = { orders: ordersTarget, inventory: inventoryTarget };
  const ordersDatabaseUrl = await databaseUrl('orders');
  const { hostname, port: databasePort } = new URL(ordersDatabaseUrl);
  console.attach({
    ...pair,
    ordersDatabaseUrl,
    inventoryDatabaseUrl: await databaseUrl('inventory'),
    webUrls: Object.fromEntries(Object.keys(urls).map((name) => [name, `${callPrefix}${name}`])),
    parts: [
      ...names.map((name) =>
        serviceContainers(name, {
          target: targets[name],
          credentials,
          breakers: () => console.signals.breakers(name),
        }),
      ),
      databaseContainer(hostname, Number(databasePort)),
    ],
  });
  process.stdout.write(`The console is on ${consoleUrl(publicPort, key)}\n`);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<unknown>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  await stopped;
} catch (error) {
  fail(error);
}
process.exit();

async function databaseUrl(service: string): Promise<string> {
  const { DATABASE_URL } = parseEnv(await readFile(join(secrets, service, 'environment'), 'utf8'));
  if (DATABASE_URL === undefined) throw new Error(`${secrets}/${service} has no DATABASE_URL`);
  return DATABASE_URL;
}
