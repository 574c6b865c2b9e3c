import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/** Writes migrations to a temporary folder. Disposing removes it. */
export async function migrationFolder(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly url: URL }> {
  const folder = await mkdtemp(join(tmpdir(), 'acme-migrations-'));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return {
    url: pathToFileURL(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

const program = `
  import { migrate } from ${JSON.stringify(new URL('../migrations/migrate.ts', import.meta.url).href)};
  const [url, folder] = process.argv.slice(1);
  console.log('ready');
  await new Promise((go) => process.stdin.once('data', go).once('end', go));
  console.log(JSON.stringify(await migrate(url, new URL(folder))));
  process.stdin.destroy();`;

/** A process that migrates when `go` is called. */
export interface Migrator {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** The names of the migrations that it applied, as JSON. Empty if it failed. */
  readonly answer: Promise<string>;
  go(): void;
}

export async function startMigrator(databaseUrl: string, folder: URL): Promise<Migrator> {
  const args = ['--input-type=module', '-e', program, databaseUrl, folder.href];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'readable');
  const answer = text(child.stdout).then((output) => output.replace('ready\n', ''));
  return { child, ended, answer, go: () => child.stdin.end('go\n') };
}
