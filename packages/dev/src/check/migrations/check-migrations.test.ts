import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkMigrations } from './check-migrations.ts';

async function problemsOf(sql: string, config = ''): Promise<string | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'migrations-'));
  const migrations = join(folder.path, 'services/orders/migrations');
  mkdirSync(migrations, { recursive: true });
  writeFileSync(join(migrations, '0002_change.sql'), sql);
  writeFileSync(join(folder.path, '.squawk.toml'), config);
  return checkMigrations(folder.path);
}

test.each([
  ['CREATE INDEX orders_by_state ON orders (state);', 'require-concurrent-index-creation'],
  ['DROP INDEX orders_by_state;', 'require-concurrent-index-deletion'],
  ['ALTER TABLE orders ALTER COLUMN state SET NOT NULL;', 'adding-not-nullable-field'],
  ['ALTER TABLE orders ADD COLUMN note text NOT NULL;', 'adding-required-field'],
  ['ALTER TABLE orders ADD CHECK (version > 0);', 'constraint-missing-not-valid'],
  ['ALTER TABLE orders ALTER COLUMN version TYPE numeric;', 'changing-column-type'],
  ['ALTER TABLE orders DROP COLUMN version;', 'ban-drop-column'],
  ['ALTER TABLE orders RENAME COLUMN version TO revision;', 'renaming-column'],
  ['ALTER TABLE orders RENAME TO purchases;', 'renaming-table'],
  ['CREATE TABEL orders ();', 'syntax-error'],
])('a migration that blocks writers or breaks the previous release is reported: %s', async (sql, rule) => {
  const [problem, remedy] = (await problemsOf(`-- A change.\n${sql}\n`))?.split('\n') ?? [];
  expect(problem).toMatch(new RegExp(`^services/orders/migrations/0002_change.sql:2: ${rule}: .`));
  if (rule !== 'syntax-error') expect(remedy).toContain('docs/evolve-a-schema.md');
});

test.each([
  "ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';",
  'ALTER TABLE orders ADD CONSTRAINT positive CHECK (version > 0) NOT VALID;',
  'ALTER TABLE orders VALIDATE CONSTRAINT positive;',
  'CREATE TABLE notes (id uuid PRIMARY KEY); CREATE INDEX notes_by_id ON notes (id);',
  '-- no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_state ON orders (state);',
  '-- No release reads it any more.\n-- squawk-ignore ban-drop-column\nALTER TABLE orders DROP COLUMN note;',
])('a migration that the previous release and its writers survive passes: %s', async (sql) => {
  expect(await problemsOf(`${sql}\n`)).toBeUndefined();
});

test('a migration that is older than the check is exempt by its name', async () => {
  const sql = 'CREATE INDEX orders_by_state ON orders (state);\n';
  const config = 'excluded_paths = ["services/orders/migrations/0002_change.sql"]\n';
  expect(await problemsOf(sql, config)).toBeUndefined();
});
