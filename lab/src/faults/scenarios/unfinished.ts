import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from '@acme/postgres/pool/pool';
import { importItems } from '../../cluster/shelves.ts';
import { caught, type Row, type Stage } from './scenario.ts';

/** Work that is longer than a call, and dies half way. */
export const unfinished: readonly Row[] = [
  {
    name: '12-migration',
    fault: 'a service is killed in the middle of its migrations',
    rounds: { short: 2, long: 20 },
    traffic: false,
    round: killMigration,
  },
  {
    name: '13-import',
    fault: 'inventory is killed, or loses its database, in the middle of ImportStock',
    rounds: { short: 2, long: 20 },
    round: breakImport,
  },
  {
    name: '14-drain',
    fault: 'a service is killed in the middle of its drain',
    rounds: { short: 2, long: 20 },
    round: killDrain,
  },
];

const migrationPoints = [
  { phase: 'request', statement: /CREATE TABLE (orders|stock)/ },
  { phase: 'answer', statement: /CREATE TABLE (orders|stock)/ },
  { phase: 'request', statement: /^INSERT INTO schema_migrations/ },
  { phase: 'request', statement: 'COMMIT' },
  { phase: 'answer', statement: 'COMMIT' },
] as const;

async function killMigration({ rig, round, expect }: Stage): Promise<void> {
  const service = round % 2 === 0 ? 'orders' : 'inventory';
  await using spare = await rig.spare(service, `migrating_${service}_${round}`);
  const dying = caught(spare.statements, {
    ...(migrationPoints[round % migrationPoints.length] ?? migrationPoints[0]),
    act: () => spare.kill(),
  });
  // The first start ends half way, the next one must find its way from there.
  await Promise.all([dying, spare.start()]);
  const [made, whole] = [await schemaOf(spare.databaseUrl), await schemaOf(rig.database.url(service))];
  expect(made === whole, `the schema is ${made}, not ${whole}`);
}

async function breakImport({ rig, round, random, expect }: Stage): Promise<void> {
  const [inventory] = rig.inventory;
  if (!inventory) throw new Error('there is a replica of inventory');
  const units = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`import-${index}`, random.int(1, 99)]),
  );
  const importId = random.uuid();
  const imported = async () => {
    const { rows } = await rig.inventoryDatabase.query<{ skus: bigint; units: bigint }>(
      'SELECT count(*) AS skus, coalesce(sum(on_hand), 0)::bigint AS units FROM stock WHERE title = $1',
      [importId],
    );
    return `${rows[0]?.units} units of ${rows[0]?.skus}`;
  };
  const points = [
    { phase: 'answer', statement: /^INSERT INTO import_items/, skip: random.int(0, 2) },
    { phase: 'request', statement: /INSERT INTO stock\b/ },
    { phase: 'answer', statement: /INSERT INTO stock\b/ },
    { phase: 'request', statement: /^UPDATE imports/ },
  ] as const;
  const breaking = caught(inventory.statements, {
    ...(points[round % points.length] ?? points[0]),
    act: async ({ sever }) => {
      if (random.chance(0.5)) sever();
      else await inventory.kill();
      const half = await imported();
      expect(half === '0 units of 0', `half an import is there: ${half}`);
    },
  });
  const first = importItems(rig, importId, units, 1).catch(() => {});
  await breaking;
  await first;
  if (inventory.pid === undefined) await inventory.start();
  await importItems(rig, importId, units, 1);
  const all = await imported();
  const wanted = `${Object.values(units).reduce((sum, count) => sum + count, 0)} units of 3000`;
  expect(all === wanted, `${all} are imported, not ${wanted}`);
}

async function killDrain({ rig, random }: Stage): Promise<void> {
  const victim = random.pick([...rig.orders, ...rig.inventory]);
  // Calls take their time, so that there is something to wait for.
  victim.databaseLine.inject('downstream', { delayMs: 300 });
  await sleep(100);
  const ending = victim.terminate();
  await sleep(random.int(0, 250));
  await victim.kill();
  await ending;
  victim.databaseLine.heal();
  await victim.start();
}

/** The tables and columns of a database, and the migrations that it has had. */
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
