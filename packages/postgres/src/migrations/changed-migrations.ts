import { sessionStatement } from '../pool/session-settings.ts';
import { openMigrationClient } from './migration-client.ts';
import { type AppliedMigration, readMigrationFiles } from './migration-files.ts';

/**
 * Returns the names of the folder's migrations that were changed after they were applied to the database. `migrate` rejects
 * them. A development database can be rebuilt instead, as long as the migration was never released.
 */
export async function changedMigrations(url: string, folder: URL): Promise<string[]> {
  const files = await readMigrationFiles(folder);
  const client = await openMigrationClient(url);
  try {
    await client.query(sessionStatement(url, {}));
    const { rows } = await client.query(`SELECT to_regclass('schema_migrations') IS NOT NULL AS present`);
    if (!rows[0].present) return [];
    const applied = await client.query<AppliedMigration>('SELECT name, checksum FROM schema_migrations');
    const checksums = new Map(applied.rows.map(({ name, checksum }) => [name, checksum]));
    return files
      .filter(({ name, checksum }) => (checksums.get(name) ?? checksum) !== checksum)
      .map(({ name }) => name);
  } finally {
    await client.end();
  }
}
