import {
  cpSync,
  existsSync,
  globSync,
  mkdtempDisposableSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { projectFiles } from '../generate/project-file-names.ts';
import { type Manifest, publishedManifest, repositoryOf } from './published-manifest.ts';

/** Copied as they are, if the package has them. */
const otherParts = ['README.md', 'CHANGELOG.md', 'config', 'openapi', 'proto', 'service-config', 'template'];

/** The package that contains the files of every project. */
const projectPackage = 'packages/dev';

/**
 * Builds a package into `output`: JavaScript, declarations, source maps, and a package.json for the registry. Only files that
 * an entry point or a program imports are built.
 *
 * @param folder The package's folder below `root`: `packages/rpc`.
 * @throws Error with the compiler's messages. It permits no function that Node 24 lacks.
 */
export function buildPackage(root: string, folder: string, output: string): void {
  const source = join(root, folder);
  rmSync(output, { recursive: true, force: true });
  const manifest: Manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  compile(root, source, manifest, join(output, 'dist'));
  for (const part of otherParts)
    if (existsSync(join(source, part))) cpSync(join(source, part), join(output, part), { recursive: true });
  if (folder === projectPackage)
    for (const file of projectFiles) cpSync(join(root, file), join(output, 'project', file));
  cpSync(join(root, 'LICENSE'), join(output, 'LICENSE'));
  const published = publishedManifest(manifest, repositoryOf(folder, process.env));
  writeFileSync(join(output, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

function compile(root: string, source: string, { exports, bin = {} }: Manifest, output: string): void {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'build-'));
  const project = join(folder.path, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    outDir: output,
    rootDir: join(source, 'src'),
    // Node 24's, which `esnext` exceeds.
    lib: ['es2025', 'esnext.disposable'],
    target: 'es2025',
    typeRoots: [join(root, 'node_modules/@types')],
    declaration: true,
    sourceMap: true,
    inlineSources: true,
    rewriteRelativeImportExtensions: true,
  };
  const sources = [...Object.values(exports), ...Object.values(bin)].filter((each) => each.endsWith('.ts'));
  const entries = sources.flatMap((pattern) => globSync(pattern.replace('/*', '/**/*'), { cwd: source }));
  const files = entries.map((file) => resolve(source, file));
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  runCommand(root, 'tsc', '--project', project);
  for (const file of globSync('**/*.d.ts', { cwd: output })) rewriteDeclaration(join(output, file));
  for (const file of globSync('**/*.js.map', { cwd: output })) rewriteSourceMap(output, file);
}

/** Replaces `.ts` by `.js` in the imports of a declaration file. The compiler does so in JavaScript only. */
function rewriteDeclaration(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/((?:from |import\()['"]\.{1,2}\/[^'"]+)\.ts(?=['"])/g, '$1.js'));
}

/** Names the source by its path in the package, `src/NAME.ts`. The compiler's path leads out of it, to the build's folders. */
function rewriteSourceMap(output: string, file: string): void {
  const map = JSON.parse(readFileSync(join(output, file), 'utf8'));
  const source = join('..', 'src', file.replace(/\.js\.map$/, '.ts'));
  map.sources = [relative(dirname(file), source)];
  writeFileSync(join(output, file), JSON.stringify(map));
}
