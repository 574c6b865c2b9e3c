import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject, Manifest } from './manifest.ts';
import { applyPatch } from './patch.ts';

export type Literals = Readonly<Record<string, string>>;

interface Image {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

interface Kustomization {
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly images?: readonly Image[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly behavior?: string;
    readonly literals?: readonly string[];
    readonly files?: readonly string[];
  }[];
  readonly patches?: readonly { readonly path?: string; readonly patch?: string; readonly target?: object }[];
}

/** What a kustomization comes to: not its text, but enough of it to judge. */
export interface Rendered {
  manifests: Manifest[];
  readonly images: Image[];
  /** What ConfigMaps are generated with, by name. */
  readonly configMaps: Map<string, Literals>;
  /** Every file that was read, from the folder of the kustomizations. */
  readonly files: Set<string>;
  readonly problems: string[];
}

/** What this reading knows of kustomize. What it does not know it refuses, so that nothing goes unjudged. */
const knownKeys = [
  'apiVersion',
  'kind',
  'namespace',
  'resources',
  'components',
  'images',
  'configMapGenerator',
  'patches',
];

/** Follows a kustomization through its resources and components. `path` is a folder, from `root`. */
export function readKustomization(root: string, path: string): Rendered {
  const rendered: Rendered = {
    manifests: [],
    images: [],
    configMaps: new Map(),
    files: new Set(),
    problems: [],
  };
  follow(root, path, rendered);
  return rendered;
}

function follow(root: string, folder: string, rendered: Rendered): void {
  const file = join(folder, 'kustomization.yaml');
  if (!existsSync(join(root, file))) {
    rendered.problems.push(`${file} is not there`);
    return;
  }
  rendered.files.add(file);
  const kustomization: Kustomization = parse(readFileSync(join(root, file), 'utf8'));
  for (const key of Object.keys(kustomization))
    if (!knownKeys.includes(key))
      rendered.problems.push(`${file}: ${key} is nothing that this check can judge`);

  for (const each of [...(kustomization.resources ?? []), ...(kustomization.components ?? [])]) {
    const path = join(folder, each);
    if (!existsSync(join(root, path))) rendered.problems.push(`${file}: ${each} is not there`);
    else if (statSync(join(root, path)).isDirectory()) follow(root, path, rendered);
    else rendered.manifests.push(...readManifests(root, path, rendered));
  }
  for (const { name, behavior, literals = [], files = [] } of kustomization.configMapGenerator ?? []) {
    const known = rendered.configMaps.get(name);
    if ((known !== undefined) !== (behavior === 'merge'))
      rendered.problems.push(
        `${file}: ConfigMap ${name} ${known ? 'is there: behavior: merge' : 'is not there to merge with'}`,
      );
    rendered.configMaps.set(name, { ...known, ...Object.fromEntries(literals.map(toPair)) });
    for (const each of files) {
      const path = join(folder, each.replace(/^[^=]*=/, ''));
      rendered.files.add(path);
      if (!existsSync(join(root, path))) rendered.problems.push(`${file}: ${each} is not there`);
    }
  }
  rendered.images.push(...(kustomization.images ?? []));
  for (const { path, patch, target } of kustomization.patches ?? []) {
    if (path !== undefined) rendered.files.add(join(folder, path));
    const text = path === undefined ? patch : readFileSync(join(root, folder, path), 'utf8');
    const { manifests, problem } = applyPatch(rendered.manifests, parse(text ?? ''), target);
    rendered.manifests = manifests;
    if (problem) rendered.problems.push(`${file}: ${problem}`);
  }
}

function readManifests(root: string, file: string, rendered: Rendered): Manifest[] {
  rendered.files.add(file);
  return parseAllDocuments(readFileSync(join(root, file), 'utf8')).flatMap((document) => {
    if (document.errors[0]) rendered.problems.push(`${file}: ${document.errors[0].message}`);
    const value: KubernetesObject | null = document.toJS();
    return value ? [{ file, value }] : [];
  });
}

function toPair(literal: string): [string, string] {
  const [name = '', ...value] = literal.split('=');
  return [name, value.join('=')];
}

/** The image as it will be pulled. */
export function resolveImage(images: readonly Image[], image: string): string {
  const [, name = image, rest = ''] = /^(.+?)((?::[^/:]+)?(?:@.+)?)$/.exec(image) ?? [];
  const found = images.findLast((each) => each.name === name);
  if (!found) return image;
  const { newName = name, newTag, digest } = found;
  return `${newName}${digest ? `@${digest}` : newTag ? `:${newTag}` : rest}`;
}
