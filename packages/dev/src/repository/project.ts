import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './paths.ts';

/** Folder of this package: `packages/dev`, or `node_modules/@acme/dev` where it is installed. */
const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** Files that `svc new` writes, with the names that `withProjectNames` replaces. */
export const templateFolder = join(packageFolder, 'template');

/** Files that `svc generate` writes into a project that installs this package. */
export const projectFolder = join(packageFolder, 'project');

/** Program of the commands. */
export const svcProgram = fileURLToPath(new URL(`../svc${extname(import.meta.url)}`, import.meta.url));

const kit: { readonly name: string; readonly version: string } = manifestIn(packageFolder);

/** Scope of the packages rpc, postgres and dev. */
export const kitScope = scopeOf(kit.name);

/** Whether the packages rpc, postgres and dev are folders of this repository. Otherwise npm has installed them. */
export const isKitVendored = existsSync(join(root, 'packages/rpc/package.json'));

/** Scope of the services and of the generated code. */
export const scope = scopeOf(manifestIn(join(root, 'gen')).name) || kitScope;

/** Name of the repository in images, labels, namespaces, and in the trust domain and the issuer of development. */
export const projectName = manifestIn(root).name.replace(/^@.*\//, '') || 'saturday';

/** Folder with the kit's .proto files. */
export const kitProtoFolder = isKitVendored ? 'packages/rpc/proto' : `node_modules/${kitScope}/rpc/proto`;

/** Range of the kit's packages in a package.json of this repository. */
const kitRange = isKitVendored ? kit.version : `^${kit.version}`;

/** Replaces the names of the template's repository by those of this one, and the kit's version by the one that runs. */
export function withProjectNames(text: string): string {
  return text
    .replaceAll(new RegExp(`("${kitScope}/(?:rpc|postgres|dev)"): "[^"]*"`, 'g'), `$1: "${kitRange}"`)
    .replaceAll(new RegExp(`${kitScope}/(?!(?:rpc|postgres|dev)\\b)`, 'g'), `${scope}/`)
    .replaceAll('saturday', projectName);
}

function manifestIn(folder: string): { name: string; version: string } {
  const file = join(folder, 'package.json');
  const { name = '', version = '' } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return { name, version };
}

function scopeOf(name: string): string {
  return name.startsWith('@') ? name.slice(0, name.indexOf('/')) : '';
}
