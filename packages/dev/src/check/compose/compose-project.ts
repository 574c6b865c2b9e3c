import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parse } from 'yaml';

/** A container of Compose, with the fields that the rules read. */
export interface ComposeContainer {
  readonly image?: string;
  readonly build?: { readonly args?: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  /** `SOURCE:TARGET` or `SOURCE:TARGET:ro`. */
  readonly volumes?: readonly string[];
}

/** The file that includes all others. */
const composeFile = 'docker-compose.yml';

type Fields = Readonly<Record<string, unknown>>;

interface Extended {
  readonly extends?: { readonly file?: string; readonly service: string };
}

interface File {
  readonly include?: readonly { readonly path: readonly string[]; readonly project_directory: '.' }[];
  readonly services?: Readonly<Record<string, Fields & Extended>>;
}

/** Lists whose later value replaces the earlier one. Of others, a later file adds to the earlier one. */
const replacedLists = new Set(['command', 'entrypoint']);

/**
 * Reads the containers of `docker-compose.yml` by name, as Compose does: with the files that it includes, with the
 * containers that they extend, and with the defaults of variables. Returns undefined when there is no such file.
 *
 * @throws Error for a file that is included and does not exist.
 */
export function readComposeProject(root: string): Map<string, ComposeContainer> | undefined {
  if (!existsSync(join(root, composeFile))) return undefined;
  const { include = [], services = {} } = readFile(root, composeFile);
  const files = [
    ...include.flatMap(({ path }) =>
      path.map((each) => ({ each, services: readFile(root, each).services ?? {} })),
    ),
    { each: composeFile, services },
  ];
  const containers = new Map<string, Fields>();
  for (const { each, services: own } of files)
    for (const [name, fields] of Object.entries(own))
      containers.set(name, merged(containers.get(name) ?? {}, extended(root, each, fields)));
  return containers as Map<string, ComposeContainer>;
}

function readFile(root: string, file: string): File {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return parse(text) ?? {};
}

/** Returns the fields of a container with those of the container that it extends. */
function extended(root: string, file: string, { extends: base, ...own }: Fields & Extended): Fields {
  if (!base) return own;
  const baseFile = base.file ? relative(root, resolve(root, base.file)) : file;
  const fields = readFile(root, baseFile).services?.[base.service];
  if (!fields) throw new Error(`${file} extends ${base.service}, which ${baseFile} does not have`);
  return merged(extended(root, baseFile, fields), own);
}

function merged(base: Fields, own: Fields): Fields {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const earlier = base[name];
    if (Array.isArray(earlier) && Array.isArray(value) && !replacedLists.has(name))
      result[name] = [...new Set([...earlier, ...value])];
    else if (isFields(earlier) && isFields(value)) result[name] = merged(earlier, value);
    else result[name] = value;
  }
  return result;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
