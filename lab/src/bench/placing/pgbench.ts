import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { quantile } from '../../harness/quantile.ts';
import type { CallersOutcome } from '../load/callers-figures.ts';
import { pgbenchRank, skuCount, skuOf } from './popularity.ts';

const logName = 'pgbench-log';

export interface PgbenchOptions {
  readonly url: string;
  /** Folder for the script and the log. */
  readonly folder: string;
  /** Whether all orders are for one SKU. */
  readonly hot: boolean;
}

export interface PgbenchLoad {
  readonly callers: number;
  readonly seconds: number;
  /** Offers this rate instead. Latency is then measured from the scheduled start. */
  readonly perSecond?: number;
}

export interface Pgbench {
  /** Places orders with one transaction each. */
  run(load: PgbenchLoad): Promise<CallersOutcome>;
}

/**
 * Prepares pgbench as the baseline: PostgreSQL without services, with one transaction per order that inserts the order
 * with its lines, updates the stock and inserts the reservation.
 */
export async function preparePgbench({ url, folder, hot }: PgbenchOptions): Promise<Pgbench> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT uuidv7(), customer_id text NOT NULL, request_id uuid NOT NULL,
                          lines jsonb NOT NULL, state text NOT NULL, create_time timestamptz NOT NULL,
                          UNIQUE (customer_id, request_id));
     CREATE INDEX ON orders (customer_id, id DESC);
     CREATE TABLE stock (sku text PRIMARY KEY, on_hand bigint NOT NULL, reserved bigint NOT NULL,
                         CHECK (reserved <= on_hand)) WITH (fillfactor = 50);
     CREATE TABLE reservations (id uuid PRIMARY KEY, lines jsonb NOT NULL, state text NOT NULL)`,
  );
  await client.query(`INSERT INTO stock SELECT sku, 1e15, 0 FROM unnest($1::text[]) AS sku`, [
    Array.from({ length: skuCount }, (_, index) => skuOf(index + 1)),
  ]);
  await client.end();
  const script = join(folder, 'order.pgbench');
  const log = join(folder, logName);
  await writeFile(script, hot ? hotOrder : popularOrder);
  return {
    run: async ({ callers, seconds, perSecond }) => {
      const output = await pgbench([
        ...['-n', '-M', 'prepared', '-f', script, '-j', '1'],
        ...(perSecond ? ['-R', String(perSecond)] : []),
        ...['-c', String(callers), '-T', String(seconds), '-l', `--log-prefix=${log}`, url],
      ]);
      const [, tps] = /tps = ([\d.]+)/.exec(output) ?? [];
      if (!tps) throw new Error(`pgbench printed no rate:\n${output}`);
      return { perSecond: Number(tps), p99Ms: quantile(await loggedMs(folder), 0.99) ?? Number.NaN };
    },
  };
}

/** Reads the durations from the logs of pgbench (client, number, duration in µs) and removes them. */
async function loggedMs(folder: string): Promise<number[]> {
  const durationsMs: number[] = [];
  // pgbench appends its process id to the name.
  for (const file of globSync(`${logName}.*`, { cwd: folder })) {
    const lines = (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n');
    for (const line of lines) durationsMs.push(Number(line.split(' ')[2]) / 1000);
    await rm(join(folder, file));
  }
  return durationsMs;
}

const insertOrder = `INSERT INTO orders (customer_id, request_id, lines, state, create_time)
VALUES ('bench', gen_random_uuid(), '[{"sku": "BENCH-0001", "quantity": 1}, {"sku": "BENCH-0002", "quantity": 1}]', 'CONFIRMED', now())
RETURNING id \\gset
`;
const insertReservation = `INSERT INTO reservations (id, lines, state)
VALUES (:id::uuid, '[{"sku": "BENCH-0001", "quantity": 1}, {"sku": "BENCH-0002", "quantity": 1}]', 'RESERVED');
`;
const takeStock = (sku: string) =>
  `UPDATE stock SET reserved = reserved + 1 WHERE sku = 'BENCH-' || lpad(${sku}::text, 4, '0');\n`;

// SKUs in ascending order, so that transactions do not deadlock.
const popularOrder = `\\set u1 random(0, 999999) / 1000000.0
\\set u2 random(0, 999999) / 1000000.0
\\set a ${pgbenchRank('u1')}
\\set b ${pgbenchRank('u2')}
\\set low least(:a, :b)
\\set high greatest(:a, :b)
BEGIN;
${insertOrder}${takeStock(':low')}${takeStock(':high')}${insertReservation}COMMIT;
`;
const hotOrder = `BEGIN;\n${insertOrder}${takeStock('1')}${insertReservation}COMMIT;\n`;

async function pgbench(args: readonly string[]): Promise<string> {
  const child = spawn('pgbench', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const failed = once(child, 'error').then(([cause]) => {
    throw new Error(`pgbench cannot be run (Debian: postgresql-contrib): ${cause.message}`);
  });
  const [output, complaint, [code]] = await Promise.race([
    Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]),
    failed,
  ]);
  if (code !== 0) throw new Error(`pgbench ended with ${code}:\n${complaint}`);
  return output;
}
