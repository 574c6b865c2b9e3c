import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@acme/postgres/pool/pool';
import { expectCodes, expectRecovery } from './recovery.ts';
import type { Row, Stage } from './scenario.ts';

/** What a database that is away may be answered with; and what a customer's own deadline, or a busy server, makes of it. */
const away = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED'];
const recoveryMs = 2000;

/** What happens to the databases of both services. */
export const databases: readonly Row[] = [
  databaseRow('postgres-killed', 'PostgreSQL is killed, and started again', async ({ rig, random }) => {
    await rig.database.kill();
    await sleep(random.int(0, 1000));
    await rig.database.start();
  }),
  databaseRow('postgres-restarted', 'PostgreSQL is shut down, and started again', async ({ rig, random }) => {
    await rig.database.stop();
    await sleep(random.int(0, 1000));
    await rig.database.start();
  }),
  databaseRow('postgres-stopped', 'PostgreSQL is stopped (SIGSTOP) for 3 s', async ({ rig }) => {
    await rig.database.freeze();
    await sleep(3000);
    rig.database.thaw();
  }),
  databaseRow(
    'pool-exhausted',
    'all connections of orders wait for a lock on its table, for 3 s',
    async (stage) => {
      const { rig, customers, wish } = stage;
      await holding(rig.ordersDatabase, 'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE', async () => {
        const wanted = wish({ a: 1 });
        const reads = Array.from({ length: 40 }, () => customers.get(wanted, crypto.randomUUID()));
        await Promise.all([...reads, sleep(3000)]);
      });
    },
  ),
  databaseRow(
    'row-locked',
    'the row of an article that everybody wants is locked for 3 s',
    async ({ rig }) => {
      await holding(rig.inventoryDatabase, `SELECT FROM stock WHERE sku IN ('a', 'b') FOR UPDATE`, () =>
        sleep(3000),
      );
    },
  ),
  {
    ...databaseRow('disk-full', 'the disk under the database is full for 3 s', fillDisk),
    rig: { diskMiB: 320 },
  },
];

function databaseRow(name: string, fault: string, injure: (stage: Stage) => Promise<void>): Row {
  return {
    name,
    fault,
    rounds: { short: 1, long: 20 },
    round: async (stage) => {
      const since = stage.history.length;
      await sleep(300);
      await injure(stage);
      await expectRecovery(stage, recoveryMs);
      expectCodes(stage, since, away);
    },
  };
}

/** Does something while a statement's locks are held. */
async function holding(database: Pool, statement: string, during: () => Promise<unknown>): Promise<void> {
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

/** The whole cluster is on the small disk, its write-ahead log as well: PostgreSQL itself may give up. */
async function fillDisk({ rig }: Stage): Promise<void> {
  const ballast = join(rig.folder, 'postgres', 'ballast');
  await fill(ballast);
  // The next segment of the log does not fit any more.
  await rig.ordersDatabase.query('SELECT pg_switch_wal()').catch(() => {});
  await sleep(3000);
  await rm(ballast);
  const isUp = await rig.ordersDatabase.query('SELECT 1').then(
    () => true,
    () => false,
  );
  if (isUp) return;
  await rig.database.stop();
  await rig.database.start();
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
