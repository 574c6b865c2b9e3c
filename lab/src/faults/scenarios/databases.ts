import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@acme/postgres/pool';
import { expectOnlyCodes, expectOrderWithin } from './expectations.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Codes that a call may fail with while the database is away: its own, an exceeded deadline, or overload. */
export const expectedCodes = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED'];
const recoveryMs = 2000;

/** Faults of the databases of both services. */
export const databases: readonly Scenario[] = [
  databaseScenario('postgres-killed', 'PostgreSQL is killed and restarted', async ({ cluster, random }) => {
    await cluster.database.kill();
    await sleep(random.int(0, 1000));
    await cluster.database.start();
  }),
  databaseScenario(
    'postgres-restarted',
    'PostgreSQL is shut down and restarted',
    async ({ cluster, random }) => {
      await cluster.database.stop();
      await sleep(random.int(0, 1000));
      await cluster.database.start();
    },
  ),
  databaseScenario('postgres-paused', 'PostgreSQL is paused (SIGSTOP) for 3 s', async ({ cluster }) => {
    await cluster.database.pause();
    await sleep(3000);
    cluster.database.resume();
  }),
  databaseScenario(
    'pool-exhausted',
    'all connections of orders wait for a table lock for 3 s',
    async (context) => {
      const { cluster, customers, purchase } = context;
      await withLocks(cluster.ordersDatabase, 'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE', async () => {
        const order = purchase({ a: 1 });
        const reads = Array.from({ length: 40 }, () => customers.get(order, crypto.randomUUID()));
        await Promise.all([...reads, sleep(3000)]);
      });
    },
  ),
  databaseScenario(
    'row-locked',
    'the stock rows of two popular SKUs are locked for 3 s',
    async ({ cluster }) => {
      await withLocks(cluster.inventoryDatabase, `SELECT FROM stock WHERE sku IN ('a', 'b') FOR UPDATE`, () =>
        sleep(3000),
      );
    },
  ),
  {
    ...databaseScenario('disk-full', 'the disk of the database is full for 3 s', fillDisk),
    cluster: { diskMiB: 320 },
  },
];

function databaseScenario(
  name: string,
  fault: string,
  cause: (context: ScenarioContext) => Promise<void>,
): Scenario {
  return {
    name,
    fault,
    rounds: { short: 1, long: 20 },
    round: async (context) => {
      const since = context.history.length;
      await sleep(300);
      await cause(context);
      await expectOrderWithin(context, recoveryMs);
      expectOnlyCodes(context, since, expectedCodes);
    },
  };
}

/** Runs `during` while a transaction holds the locks of this statement. */
async function withLocks(database: Pool, statement: string, during: () => Promise<unknown>): Promise<void> {
  const client = await database.connect();
  try {
    await client.query(`SET idle_in_transaction_session_timeout = '30s'`);
    await client.query('BEGIN');
    await client.query(statement);
    await during();
  } finally {
    client.release(true);
  }
}

/** Data and write-ahead log are on the small disk, so that PostgreSQL itself may shut down. */
async function fillDisk({ cluster }: ScenarioContext): Promise<void> {
  const ballast = join(cluster.folder, 'postgres', 'ballast');
  await fill(ballast);
  // The next segment of the log does not fit.
  await cluster.ordersDatabase.query('SELECT pg_switch_wal()').catch(() => {});
  await sleep(3000);
  await rm(ballast);
  const isUp = await cluster.ordersDatabase.query('SELECT 1').then(
    () => true,
    () => false,
  );
  if (isUp) return;
  await cluster.database.stop();
  await cluster.database.start();
}

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let size = 1024 * 1024; size >= 1024; size /= 2) {
      const bytes = randomBytes(size);
      while (
        (await file.write(bytes).then(
          ({ bytesWritten }) => bytesWritten,
          () => 0,
        )) === size
      );
    }
  } finally {
    await file.close();
  }
}
