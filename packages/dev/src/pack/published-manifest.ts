/** The parts of a package.json that differ between the repository and the registry. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: unknown;
  readonly devDependencies?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Where the sources are, as npm expects it in a package.json. */
export interface Repository {
  readonly type: 'git';
  readonly url: string;
  readonly directory: string;
}

/**
 * Returns the repository of a package: the one whose workflow runs on GitHub, undefined elsewhere. The registry rejects
 * provenance without it, and resolves the links of the README by it.
 */
export function repositoryOf(
  directory: string,
  { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name }: NodeJS.ProcessEnv,
): Repository | undefined {
  return server && name ? { type: 'git', url: `git+${server}/${name}.git`, directory } : undefined;
}

/**
 * Returns the package.json to publish: entry points that name JavaScript and declarations instead of sources, and ranges
 * instead of exact versions, so that an application has one copy of a dependency that it uses too.
 */
export function publishedManifest(manifest: Manifest, repository: Repository | undefined): object {
  const { private: _private, scripts: _scripts, devDependencies: _dev, ...published } = manifest;
  const { exports, bin, dependencies } = manifest;
  return {
    ...published,
    ...(repository && { repository }),
    exports: mapValues(exports, entryPoint),
    ...(bin && { bin: mapValues(bin, builtFile) }),
    ...(dependencies && { dependencies: mapValues(dependencies, rangeFrom) }),
  };
}

/** Returns the JavaScript that is built from a source file: `dist/exports/server.js` for `./src/exports/server.ts`. */
function builtFile(source: string): string {
  return source.replace(/^(\.\/)?src\//, '$1dist/').replace(/\.ts$/, '.js');
}

/** Returns the entry point of a source file. Other files, such as JSON, are published as they are. */
function entryPoint(source: string) {
  if (!source.endsWith('.ts')) return source;
  const file = builtFile(source);
  return { types: file.replace(/\.js$/, '.d.ts'), default: file };
}

/** Returns the range of an exact version: it and compatible later ones (semver's caret). */
function rangeFrom(version: string): string {
  return /^\d/.test(version) ? `^${version}` : version;
}

function mapValues<Value, Result>(record: Readonly<Record<string, Value>>, map: (value: Value) => Result) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
