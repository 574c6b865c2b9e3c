import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from '@acme/postgres/pool';
import { importStock } from '../../harness/stock.ts';
import { catchStatement } from './catch-statement.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Long-running work that is interrupted. */
export const unfinished: readonly Scenario[] = [
  {
    name: '12-migration',
    fault: 'a process is killed during its migrations',
    rounds: { short: 2, long: 20 },
    traffic: false,
    round: killMigration,
  },
  {
    name: '13-import',
    fault: 'the inventory process is killed, or loses its database connection, during ImportStock',
    rounds: { short: 2, long: 20 },
    round: breakImport,
  },
  {
    name: '14-drain',
    fault: 'a process is killed during its drain',
    rounds: { short: 2, long: 20 },
    round: killDrain,
  },
];

const migrationPoints = [
  { phase: 'request', statement: /CREATE TABLE (orders|stock)/ },
  { phase: 'response', statement: /CREATE TABLE (orders|stock)/ },
  { phase: 'request', statement: /^INSERT INTO schema_migrations/ },
  { phase: 'request', statement: 'COMMIT' },
  { phase: 'response', statement: 'COMMIT' },
] as const;

async function killMigration({ cluster, round, expect }: ScenarioContext): Promise<void> {
  const service = round % 2 === 0 ? 'orders' : 'inventory';
  await using spareReplica = await cluster.spareReplica(service, `migrating_${service}_${round}`);
  const dying = catchStatement(spareReplica.statements, {
    ...(migrationPoints[round % migrationPoints.length] ?? migrationPoints[0]),
    act: () => spareReplica.kill(),
  });
  // The first start is interrupted, and the next one must complete the migrations.
  await Promise.all([dying, spareReplica.start()]);
  const [schema, expected] = [
    await schemaOf(spareReplica.databaseUrl),
    await schemaOf(cluster.database.url(service)),
  ];
  expect(schema === expected, `the schema is ${schema}, not ${expected}`);
}

async function breakImport({ cluster, round, random, expect }: ScenarioContext): Promise<void> {
  const [inventory] = cluster.inventory;
  if (!inventory) throw new Error('the cluster has no inventory replica');
  const units = new Map(
    Array.from({ length: 3000 }, (_, index) => [`import-${index}`, random.int(1, 99)] as const),
  );
  const importId = random.uuid();
  const imported = async () => {
    const { rows } = await cluster.inventoryDatabase.query<{ skus: bigint; units: bigint }>(
      'SELECT count(*) AS skus, coalesce(sum(on_hand), 0)::bigint AS units FROM stock WHERE title = $1',
      [importId],
    );
    return `${rows[0]?.units} units of ${rows[0]?.skus}`;
  };
  const points = [
    { phase: 'response', statement: /^INSERT INTO import_items/, skip: random.int(0, 2) },
    { phase: 'request', statement: /INSERT INTO stock\b/ },
    { phase: 'response', statement: /INSERT INTO stock\b/ },
    { phase: 'request', statement: /^UPDATE imports/ },
  ] as const;
  const breaking = catchStatement(inventory.statements, {
    ...(points[round % points.length] ?? points[0]),
    act: async ({ sever }) => {
      if (random.chance(0.5)) sever();
      else await inventory.kill();
      const visible = await imported();
      expect(visible === '0 units of 0', `a part of the import is visible: ${visible}`);
    },
  });
  const first = importStock(cluster, importId, units).catch(() => {});
  await breaking;
  await first;
  if (inventory.pid === undefined) await inventory.start();
  await importStock(cluster, importId, units);
  const all = await imported();
  const expected = `${[...units.values()].reduce((sum, count) => sum + count, 0)} units of 3000`;
  expect(all === expected, `${all} are imported, not ${expected}`);
}

async function killDrain({ cluster, random }: ScenarioContext): Promise<void> {
  const victim = random.pick([...cluster.orders, ...cluster.inventory]);
  // Slow calls, so that the drain has calls to wait for.
  victim.databaseLink.inject('downstream', { delayMs: 300 });
  await sleep(100);
  const ending = victim.terminate();
  await sleep(random.int(0, 250));
  await victim.kill();
  await ending;
  victim.databaseLink.heal();
  await victim.start();
}

/** Returns the applied migrations, tables and columns of a database. */
async function schemaOf(url: string): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const pool = opened.adopt(openPool({ url, max: 1, applicationName: 'faults', onError: () => {} }), (each) =>
    each.end(),
  );
  const { rows } = await pool.query<{ schema: string }>(
    `SELECT concat_ws('; ',
       (SELECT string_agg(name, ' ' ORDER BY name) FROM schema_migrations),
       (SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY table_name, column_name)
        FROM information_schema.columns WHERE table_schema = 'public')) AS schema`,
  );
  return rows[0]?.schema ?? '';
}
