import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { startEmbedded } from '@acme/postgres/embedded';
import { type ChannelCredentials, channelCredentials } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import {
  createTestCertificates,
  type DnsServer,
  startDnsServer,
  startFaultProxy,
  testIdentity,
} from '@acme/rpc/testing';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { openDatabases } from '../harness/check-databases.ts';
import type { Databases } from '../harness/invariants.ts';
import { type HostReplica, makeHostReplica } from './host-replica.ts';
import { type Host, makeNetwork, ownAddress } from './network.ts';

/** Orders and inventory with two replicas each on two hosts, in DNS. PostgreSQL and the callers are on a third machine. */
export interface TwoHosts extends Databases, AsyncDisposable {
  readonly hosts: readonly [Host, Host];
  readonly replicas: readonly HostReplica[];
  /** Returns the replica of a service on a host: the first or the second. */
  replica(service: Service, host: Host, number: 1 | 2): HostReplica;
  /** Adds the address of a replica that is SERVING to the name of its service. */
  publish(replica: HostReplica): void;
  /** Removes it. */
  withdraw(replica: HostReplica): void;
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
  readonly credentials: ChannelCredentials;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

type Service = HostReplica['service'];

const ports: Record<Service, number> = { orders: 50051, inventory: 50052 };
const databasePort = 5432;
const daySeconds = 24 * 60 * 60;

/**
 * Makes the network and starts PostgreSQL and the DNS server. No replica is started.
 *
 * @param folder Everything is written here.
 */
export async function startTwoHosts(folder: string): Promise<TwoHosts> {
  await using started = new AsyncDisposableStack();
  await mkdir(join(folder, 'logs'));
  const hosts = await makeNetwork(folder, [
    { name: 'host 1', addresses: ['10.77.1.1', '10.77.1.2'] },
    { name: 'host 2', addresses: ['10.77.2.1', '10.77.2.2'] },
  ]);
  const [one, two] = hosts;
  if (!one || !two) throw new Error('there are fewer than two hosts');
  const dns = started.use(await startDnsServer({ host: ownAddress, port: 53 }));
  const database = started.use(await startEmbedded({ dataFolder: join(folder, 'postgres') }));
  started.use(
    await startFaultProxy({
      target: { host: '127.0.0.1', port: database.port },
      listen: { host: ownAddress, port: databasePort },
    }),
  );
  const url = (name: string) =>
    database.url(name).replace(`127.0.0.1:${database.port}`, `${ownAddress}:${databasePort}`);
  const compileCache = join(folder, 'compiled');
  for (const service of ['orders', 'inventory'] as const) {
    await database.ensureDatabase(service);
    await fillCompileCache(fileURLToPath(import.meta.resolve(`@acme/${service}/main`)), compileCache);
  }
  const databases = started.use(
    openDatabases({ ordersDatabaseUrl: url('orders'), inventoryDatabaseUrl: url('inventory') }),
  );
  const keys = await openDevelopmentKeys(folder);
  const certificates = started.use(await createTestCertificates());
  const log = createLogger({ service: 'hosts', level: 'silent' });
  const tls = await certificates.write('customers');
  const credentials = await channelCredentials(tls, { developmentCertificates: true, log });
  const replicas: HostReplica[] = [];
  for (const service of ['orders', 'inventory'] as const) {
    const alternativeNames = [
      `DNS:${service}`,
      `URI:${testIdentity(service)}`,
      ...hosts.flatMap(({ addresses }) => addresses.map((each) => `IP:${each}`)),
    ];
    const files = await certificates.write(service, await certificates.issue(service, { alternativeNames }));
    for (const host of hosts)
      for (const address of host.addresses)
        replicas.push(
          makeHostReplica({
            service,
            host,
            address,
            port: ports[service],
            logFile: join(folder, 'logs', `${service}-${address}.log`),
            credentials,
            environment: {
              DATABASE_URL: url(service),
              TLS_MODE: 'mtls',
              TLS_CERT: files.certFile,
              TLS_KEY: files.keyFile,
              TLS_CA: files.caFile,
              AUTH_JWKS: keys.jwksFile,
              AUTH_ISSUER: developmentIssuer,
              AUTH_AUDIENCE: service,
              ...(service === 'orders'
                ? { INVENTORY_TARGET: targetOf('inventory') }
                : { AUTH_PEERS: `${testIdentity('orders')}=inventory:reserve` }),
              NODE_COMPILE_CACHE: compileCache,
            },
          }),
        );
  }
  const running = started.move();
  return {
    ...databases,
    hosts: [one, two],
    replicas,
    replica: (service, host, number) => {
      const address = host.addresses[number - 1];
      const found = replicas.find((each) => each.service === service && each.address === address);
      if (!found) throw new Error(`${host.name} has no replica ${number} of ${service}`);
      return found;
    },
    publish: ({ service, address }) => setAddresses(dns, service, (all) => [...all, address]),
    withdraw: ({ service, address }) =>
      setAddresses(dns, service, (all) => all.filter((each) => each !== address)),
    ordersTarget: targetOf('orders'),
    inventoryTarget: targetOf('inventory'),
    credentials,
    token: (subject, scopes) => {
      const [audience = ''] = scopes[0]?.split(':') ?? [];
      return keys.sign({ audience, subject, scopes, ttlSeconds: daySeconds });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function targetOf(service: Service): string {
  return `dns:///${service}:${ports[service]}`;
}

function setAddresses(
  { records }: DnsServer,
  service: Service,
  change: (addresses: readonly string[]) => readonly string[],
): void {
  const known = records.get(service);
  const addresses = change(known === undefined || known === 'silent' ? [] : known);
  // A name without addresses does not exist, as that of a headless Service without ready replicas.
  if (addresses.length > 0) records.set(service, addresses);
  else records.delete(service);
}
