import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';

/** The `breaking` section of a buf.yaml. */
export interface BreakingRules {
  readonly ignore?: readonly string[];
  readonly ignore_only?: Readonly<Record<string, readonly string[]>>;
}

interface BufYaml {
  readonly version: string;
  readonly modules?: readonly { readonly path: string; readonly breaking?: BreakingRules }[];
  readonly breaking?: BreakingRules;
}

/** Modules of a repository, and the rules for their changes. All paths are relative to its folder. */
export interface Modules {
  readonly paths: readonly string[];
  /** Undefined when modules have rules of their own. */
  readonly breaking: BreakingRules | undefined;
  /** Files and folders of other authors: `ignore` of the rules. */
  readonly foreign: readonly string[];
}

/**
 * Reads the modules of the buf.yaml in `folder`, or of its buf.work.yaml.
 *
 * @throws Error when there is neither.
 */
export function readModules(folder: string): Modules {
  const work = readYaml<{ directories: string[] }>(folder, 'buf.work.yaml');
  if (work) {
    const foreign = work.directories.flatMap((path) =>
      (readYaml<BufYaml>(join(folder, path), 'buf.yaml')?.breaking?.ignore ?? []).map((each) =>
        join(path, each),
      ),
    );
    return { paths: work.directories, breaking: undefined, foreign };
  }
  const config = readYaml<BufYaml>(folder, 'buf.yaml');
  if (!config) throw new Error(`no buf.yaml in ${folder}: buf config init writes one`);
  const modules = config.modules ?? [{ path: '.' }];
  const rules = [config, ...modules].map(({ breaking }) => breaking ?? {});
  return {
    paths: modules.map(({ path }) => path),
    breaking: modules.some(({ breaking }) => breaking) ? undefined : (config.breaking ?? {}),
    foreign: rules.flatMap(({ ignore = [] }) => ignore),
  };
}

/**
 * Returns the .proto files in `folder` that this repository defines, by the name under which they are imported. Installed
 * modules and the files of other authors are left out.
 */
export function ownFiles(folder: string, { paths, foreign }: Modules): Map<string, string> {
  const files = paths
    .filter((path) => !isInstalled(path) && existsSync(join(folder, path)))
    .flatMap((path) =>
      globSync('**/*.proto', { cwd: join(folder, path), exclude: isInstalled }).map(
        (name) => [name, join(path, name)] as const,
      ),
    );
  return new Map(files.filter(([, file]) => !foreign.some((each) => isIn(file, each))));
}

/** Whether npm has installed the module. No commit contains it. */
function isInstalled(path: string): boolean {
  return path.split('/').includes('node_modules');
}

/** Whether a file is this path, or in the folder of this path. */
export function isIn(file: string, path: string): boolean {
  const below = relative(path, file);
  return below !== '..' && !below.startsWith('../');
}

function readYaml<Content>(folder: string, name: string): Content | undefined {
  const file = join(folder, name);
  return existsSync(file) ? parse(readFileSync(file, 'utf8')) : undefined;
}
