import { globSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';

/** The sources of a commit, ready to run. Disposing removes them. */
export interface ReleasedCode extends AsyncDisposable {
  readonly path: string;
  /** Returns the module URL of a service's main.ts. */
  main(service: string): string;
}

/**
 * Writes the sources of a commit to a temporary folder, with the packages of its lock file: links to those that are installed
 * here where their versions are the same, or else installed ones.
 *
 * @throws Error if a package cannot be installed.
 */
export async function openReleasedCode(commit: string): Promise<ReleasedCode> {
  await using opening = new AsyncDisposableStack();
  const { path } = opening.use(await openTemporaryFolder('released-code-'));
  const archive = join(path, 'archive.tar');
  runCommand(root, 'git', 'archive', `--output=${archive}`, commit);
  runCommand(path, 'tar', '-xf', archive);
  await rm(archive);
  const [before, present] = [await readLockFile(path), await readLockFile(root)];
  const areInstalled = [...before].every(([name, version]) => present.get(name) === version);
  if (areInstalled) await linkPackages(path);
  else
    runCommand(
      path,
      'npm',
      'ci',
      '--omit=dev',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
    );
  const opened = opening.move();
  return {
    path,
    main: (service) => pathToFileURL(join(path, 'services', service, 'src/main.ts')).href,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Reads the versions of the packages that run in production, by their place in node_modules. */
async function readLockFile(folder: string): Promise<Map<string, string>> {
  const { packages } = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: true; optional?: true; link?: true }>;
  };
  return new Map(
    Object.entries(packages).flatMap(([place, { version, dev, optional, link }]) =>
      place.startsWith('node_modules/') && !dev && !optional && !link ? [[place, version]] : [],
    ),
  );
}

/** Links the workspaces of the folder to each other, and all other packages to those that are installed here. */
async function linkPackages(folder: string): Promise<void> {
  const installed = join(root, 'node_modules');
  const modules = join(folder, 'node_modules');
  const { workspaces } = await readManifest(join(folder, 'package.json'));
  const manifests = globSync(
    (workspaces ?? []).map((workspace) => `${workspace}/package.json`),
    { cwd: folder },
  );
  const links = new Map<string, string>();
  for (const manifest of manifests) {
    const { name } = await readManifest(join(folder, manifest));
    links.set(name, join(folder, dirname(manifest)));
  }
  for (const name of await packagesIn(installed))
    if (!links.has(name)) links.set(name, join(installed, name));
  for (const [name, target] of links) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(target, join(modules, name), 'dir');
  }
}

async function readManifest(file: string): Promise<{ name: string; workspaces?: string[] }> {
  return JSON.parse(await readFile(file, 'utf8'));
}

async function packagesIn(modules: string): Promise<string[]> {
  const names = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  const scoped = names
    .filter((name) => name.startsWith('@'))
    .map(async (scope) => (await readdir(join(modules, scope))).map((name) => `${scope}/${name}`));
  return [...names.filter((name) => !name.startsWith('@')), ...(await Promise.all(scoped)).flat()];
}
