import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { openPool, type Pool } from '@acme/postgres/pool';
import { channelCredentials, createClient, tokenFile } from '@acme/rpc/client';
import { readEnvironment } from '@acme/rpc/config';
import { codeName, RpcError } from '@acme/rpc/errors';
import { createLogger } from '@acme/rpc/logging';
import { type Config, readConfig } from '../config.ts';
import { createCancellationStore } from '../order/cancellation-store.ts';
import { eventDifferences } from './event-differences.ts';
import { createMend } from './mend.ts';
import { createOrderRanges } from './order-ranges.ts';
import { reconcile } from './reconcile.ts';
import { createReservationRanges } from './reservation-ranges.ts';
import { readReservedUnits } from './reserved-units.ts';

const usage = `usage: npm run reconcile -- [OPTIONS]

Finds the orders and the reservations that disagree, after one of the two databases was restored or has lost commits in
a failover. It runs beside the services, with the environment of orders. Exits with 1 if a disagreement is left.

  --mend  mends them: releases, reserves and cancels again what one database has lost
`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(usage);
  process.exit();
}
const unknown = args.find((arg) => arg !== '--mend');
if (unknown !== undefined) {
  process.stderr.write(`unknown option ${unknown}: npm run reconcile -- --help lists the options\n`);
  process.exit(2);
}

try {
  const left = await run(readConfig(readEnvironment(process.env)), args.includes('--mend'));
  if (left > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  process.exitCode = 1;
}

async function run(config: Config, mends: boolean): Promise<number> {
  const { server, databaseUrl, inventoryTarget, tokenFile: tokenPath } = config;
  await using opened = new AsyncDisposableStack();
  const log = createLogger({ service: 'reconcile', level: 'warn', pretty: !server.production });
  const pool = opened.adopt(
    openPool({
      url: databaseUrl,
      max: 2,
      applicationName: 'orders reconcile',
      onError: (err) => log.warn({ err }, 'idle database connection lost'),
    }),
    (each) => each.end(),
  );
  await requireDatabase(pool);
  const inventory = opened.use(
    createClient(InventoryService, {
      target: inventoryTarget,
      token: tokenPath === undefined ? undefined : tokenFile(tokenPath),
      credentials: await channelCredentials(server.tls, {
        developmentCertificates: !server.production,
        log,
      }),
    }),
  );
  const cancellations = createCancellationStore(pool, () => new Date());
  return await reconcile({
    databases: { orders: createOrderRanges(pool), reservations: createReservationRanges(inventory) },
    readReservedUnits: () => readReservedUnits(inventory),
    eventDifferences: () => eventDifferences(pool),
    mend: mends ? createMend({ inventory, cancellations }) : undefined,
    print,
    nowMs: Date.now,
    sleep,
  });
}

/** Throws an Error that names the variable if no statement can be executed. */
async function requireDatabase(pool: Pool): Promise<void> {
  try {
    await pool.query('SELECT');
  } catch (cause) {
    const { message, code } = cause as Error & { code?: string };
    // Without a message if every address of the host has failed.
    throw new Error(`the database of orders cannot be used (DATABASE_URL): ${message || code}`, { cause });
  }
}

function textOf(error: unknown): string {
  if (error instanceof RpcError)
    return `a call of inventory failed with ${codeName(error.code)}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
