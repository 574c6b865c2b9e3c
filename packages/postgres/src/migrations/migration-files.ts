import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

export interface AppliedMigration {
  readonly name: string;
  /** SHA-256 of the file, in hex. */
  readonly checksum: string;
}

export interface MigrationFile extends AppliedMigration {
  readonly sql: string;
  /** False if its first line is `-- no transaction`. */
  readonly isTransactional: boolean;
}

const fileNamePattern = /^\d{4}_[a-z0-9_]+\.sql$/;

/** Reads `0001_name.sql`, `0002_…` of a folder, in order. Throws when a number is missing or used twice. */
export async function readMigrationFiles(folder: URL): Promise<MigrationFile[]> {
  const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const names = (await readdir(base)).filter((name) => name.endsWith('.sql')).sort();
  for (const [index, name] of names.entries()) {
    if (!fileNamePattern.test(name))
      throw new Error(`migration ${name}: rename it to the form 0001_what_it_does.sql`);
    if (numberOf(name) === index + 1) continue;
    const expected = String(index + 1).padStart(4, '0');
    throw new Error(`migration ${name}: expected ${expected}; number the files 0001, 0002, … without gaps`);
  }
  return Promise.all(names.map((name) => readMigrationFile(base, name)));
}

async function readMigrationFile(base: URL, name: string): Promise<MigrationFile> {
  const text = await readFile(new URL(name, base), 'utf8');
  // A checkout with git's autocrlf must have the same checksum.
  const sql = text.replaceAll('\r\n', '\n');
  const isTransactional = !/^-- no transaction\n/.test(sql);
  return { name, sql, isTransactional, checksum: createHash('sha256').update(sql).digest('hex') };
}

/**
 * Returns the first file that the database lacks, or undefined if it has all of them. Throws when the applied migrations
 * and the folder's files are not points of one history.
 *
 * Applied migrations beyond the folder's last are valid: a newer release has migrated, and a replica of the older release
 * that restarts during the rollout, or after a rollback, must be able to start. So every migration must leave a schema that
 * the previous release works on, as a rolling update requires anyway. A gap is invalid: it comes from two branches that
 * used the same number, and that order was never tested.
 */
export function firstMissing(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): MigrationFile | undefined {
  const appliedByNumber = new Map(applied.map((migration) => [numberOf(migration.name), migration]));
  const newest = Math.max(0, ...appliedByNumber.keys());
  for (const file of files) {
    const before = appliedByNumber.get(numberOf(file.name));
    if (before === undefined) {
      if (numberOf(file.name) > newest) return file;
      const after = applied.find(({ name }) => numberOf(name) === newest)?.name;
      throw new Error(
        `migration ${file.name} is missing from the database, which already has ${after}: give it the next free number`,
      );
    }
    if (before.name !== file.name) {
      throw new Error(
        `migration ${file.name}: the database has ${before.name} under this number: give this file the next free number`,
      );
    }
    if (before.checksum !== file.checksum) {
      throw new Error(
        `migration ${file.name} was changed after it was applied: restore it, and put the change in a new file`,
      );
    }
  }
  return undefined;
}

function numberOf(name: string): number {
  return Number(name.slice(0, 4));
}
