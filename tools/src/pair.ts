import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbedded } from '@acme/postgres/embedded';
import type { ChannelCredentials } from '@acme/rpc/tls/channel-credentials';
import {
  developmentAudience,
  developmentIssuer,
  openDevelopmentKeys,
  writeWhole,
} from './development-keys.ts';
import { freeAddress } from './free-address.ts';
import { metricsVariables } from './metrics-port.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

export interface PairOptions {
  readonly dataFolder: string;
  /** 0 for any that is free. */
  readonly ordersPort: number;
  readonly inventoryPort: number;
  /** Where each service shows its metrics, if it can listen there; not at all when absent. */
  readonly metricsPorts?: Readonly<Record<'orders' | 'inventory', number>>;
  /** Hears of each part that is up. */
  readonly onStep: (what: string) => void;
}

/** Where a pair is reached, and how to get a token for it. */
export interface PairAccess {
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
  /** Plain text when absent. */
  readonly credentials?: ChannelCredentials | undefined;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

export interface Pair extends PairAccess {
  readonly services: readonly ServiceProcess[];
  /** Where a service keeps its data. */
  databaseUrl(service: string): string;
  /** Drains orders, then inventory, then stops the database. */
  close(): Promise<void>;
}

const daySeconds = 24 * 60 * 60;

/** Starts PostgreSQL and both services, as processes of their own, with development keys and tokens. */
export async function startPair({
  dataFolder,
  ordersPort,
  inventoryPort,
  metricsPorts,
  onStep,
}: PairOptions): Promise<Pair> {
  const inventoryTarget = await freeAddress(inventoryPort);
  const ordersTarget = await freeAddress(ordersPort);
  const database = await startEmbedded({ dataFolder: join(dataFolder, 'postgres') });
  const services: ServiceProcess[] = [];
  const close = async () => {
    for (const service of services.toReversed()) await service.stop();
    await database.close();
  };
  try {
    onStep(`PostgreSQL on 127.0.0.1:${database.port}`);
    const keys = await openDevelopmentKeys(dataFolder);
    const tokenFile = join(dataFolder, 'keys', 'orders.token');
    const token = await keys.sign({
      subject: 'orders',
      scopes: ['inventory:reserve'],
      ttlSeconds: 30 * daySeconds,
    });
    await writeWhole(tokenFile, token, 0o600);
    await mkdir(join(dataFolder, 'logs'), { recursive: true });

    const start = async (
      name: 'orders' | 'inventory',
      listenAddress: string,
      environment: Record<string, string>,
    ) => {
      await database.ensureDatabase(name);
      const service = await startServiceProcess({
        name,
        main: import.meta.resolve(`@acme/${name}/main`),
        listenAddress,
        logFile: join(dataFolder, 'logs', `${name}.log`),
        environment: {
          DATABASE_URL: database.url(name),
          AUTH_JWKS: keys.jwksFile,
          AUTH_ISSUER: developmentIssuer,
          AUTH_AUDIENCE: developmentAudience,
          ...(metricsPorts && (await metricsVariables(name, metricsPorts[name], onStep))),
          ...environment,
        },
      });
      services.push(service);
      onStep(`${name} on ${listenAddress}`);
    };
    await start('inventory', inventoryTarget, {});
    await start('orders', ordersTarget, { INVENTORY_TARGET: inventoryTarget, AUTH_TOKEN_FILE: tokenFile });
    return {
      ordersTarget,
      inventoryTarget,
      services,
      databaseUrl: database.url,
      token: (subject, scopes) => keys.sign({ subject, scopes, ttlSeconds: daySeconds }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
