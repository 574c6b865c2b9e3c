import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { audienceOf, developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { services, withCalledServices } from '@acme/dev/repository';
import type { ServiceEntry } from '@acme/dev/services';
import { callVariables } from '@acme/dev/start';
import { startEmbedded } from '@acme/postgres/embedded';
import { type ChannelCredentials, channelCredentials } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { createTestCertificates, type DnsServer, startDnsServer, startFaultProxy } from '@acme/rpc/testing';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { openDatabases } from '../harness/check-databases.ts';
import type { Databases } from '../harness/invariants.ts';
import { type HostReplica, makeHostReplica } from './host-replica.ts';
import { type Host, makeNetwork, ownAddress } from './network.ts';

/** Two replicas of each service on two hosts, with names in DNS. PostgreSQL and the callers are on a third machine. */
export interface TwoHosts extends Databases, AsyncDisposable {
  readonly hosts: readonly [Host, Host];
  /** Each service after those that it calls. */
  readonly replicas: readonly HostReplica[];
  /** Adds the address of a replica that is SERVING to the name of its service. */
  publish(replica: HostReplica): void;
  /** Removes it. */
  withdraw(replica: HostReplica): void;
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
  readonly credentials: ChannelCredentials;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

const databasePort = 5432;
const daySeconds = 24 * 60 * 60;

/** The services that run: the pair, and what they call. */
const entries = withCalledServices(services, ['orders', 'inventory']);
const targets = Object.fromEntries(entries.map(({ name, port }) => [name, `dns:///${name}:${port}`]));

/**
 * Makes the network and starts PostgreSQL and the DNS server. No replica is started.
 *
 * @param folder Everything is written here.
 */
export async function startTwoHosts(folder: string): Promise<TwoHosts> {
  await using started = new AsyncDisposableStack();
  await mkdir(join(folder, 'logs'));
  const hosts = await makeNetwork(folder, [
    ['10.77.1.1', '10.77.1.2'],
    ['10.77.2.1', '10.77.2.2'],
  ]);
  const dns = started.use(await startDnsServer({ host: ownAddress, port: 53 }));
  const database = started.use(await startEmbedded({ dataFolder: join(folder, 'postgres') }));
  // The server itself listens on 127.0.0.1, which the hosts do not reach.
  const front = { host: ownAddress, port: databasePort };
  started.use(await startFaultProxy({ target: { host: '127.0.0.1', port: database.port }, listen: front }));
  for (const { name } of entries) await database.ensureDatabase(name);
  const databaseUrl = (name: string) =>
    database.url(name).replace(`127.0.0.1:${database.port}`, `${ownAddress}:${databasePort}`);
  const databases = started.use(
    openDatabases({
      ordersDatabaseUrl: databaseUrl('orders'),
      inventoryDatabaseUrl: databaseUrl('inventory'),
    }),
  );
  const keys = await openDevelopmentKeys(folder);
  const { credentials, replicas } = await makeReplicas({ folder, hosts, keys, databaseUrl });
  const running = started.move();
  return {
    ...databases,
    hosts,
    replicas,
    publish: ({ service, address }) => setAddresses(dns, service, (all) => [...all, address]),
    withdraw: ({ service, address }) =>
      setAddresses(dns, service, (all) => all.filter((each) => each !== address)),
    ordersTarget: targets.orders ?? '',
    inventoryTarget: targets.inventory ?? '',
    credentials,
    token: (subject, scopes) =>
      keys.sign({ audience: audienceOf(scopes), subject, scopes, ttlSeconds: daySeconds }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface ReplicasOptions {
  readonly folder: string;
  readonly hosts: readonly Host[];
  readonly keys: Awaited<ReturnType<typeof openDevelopmentKeys>>;
  readonly databaseUrl: (service: string) => string;
}

/** Makes the certificates and the replicas. The files stay in the folder. */
async function makeReplicas({ folder, hosts, keys, databaseUrl }: ReplicasOptions) {
  const certificates = await createTestCertificates();
  const log = createLogger({ service: 'hosts', level: 'silent' });
  const customers = await certificates.write('customers');
  const credentials = await channelCredentials(customers, { developmentCertificates: true, log });
  const addresses = hosts.flatMap((host) => host.addresses);
  const environmentOf = async (entry: ServiceEntry) => {
    const alternativeNames = [`DNS:${entry.name}`, ...addresses.map((each) => `IP:${each}`)];
    const pair = await certificates.issue(entry.name, { alternativeNames });
    const files = await certificates.write(entry.name, pair);
    return {
      DATABASE_URL: databaseUrl(entry.name),
      TLS_MODE: files.mode,
      TLS_CERT: files.certFile,
      TLS_KEY: files.keyFile,
      TLS_CA: files.caFile,
      AUTH_JWKS: keys.jwksFile,
      AUTH_ISSUER: developmentIssuer,
      AUTH_AUDIENCE: entry.name,
      ...(await callVariables(entry, { dataFolder: folder, targets, keys })),
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
    };
  };
  const replicas: HostReplica[] = [];
  for (const entry of entries) {
    const main = fileURLToPath(import.meta.resolve(`@acme/${entry.name}/main`));
    const environment = await environmentOf(entry);
    await fillCompileCache(main, environment.NODE_COMPILE_CACHE);
    for (const host of hosts)
      for (const address of host.addresses) {
        const logFile = join(folder, 'logs', `${entry.name}-${address}.log`);
        const { name: service, port } = entry;
        replicas.push(
          makeHostReplica({ service, main, host, address, port, environment, logFile, credentials }),
        );
      }
  }
  return { credentials, replicas };
}

function setAddresses(
  { records }: DnsServer,
  service: string,
  change: (addresses: readonly string[]) => readonly string[],
): void {
  const known = records.get(service);
  const addresses = change(known === undefined || known === 'silent' ? [] : known);
  // A name without addresses does not exist, as that of a headless Service without ready replicas.
  if (addresses.length > 0) records.set(service, addresses);
  else records.delete(service);
}
