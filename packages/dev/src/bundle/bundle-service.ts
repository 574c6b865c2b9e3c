import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { rolldown } from 'rolldown';
import { root } from '../repository/paths.ts';
import { copyNotices } from './copy-notices.ts';
import {
  followRequire,
  importTelemetry,
  keepFolders,
  loadHttp,
  modulesFolder,
  rejectAddons,
} from './library-plugins.ts';
import { programsOf } from './programs.ts';
import { runTimeFileProblems } from './run-time-files.ts';

/** Files of a service that its programs read when they run. */
const ownFiles = ['package.json', 'migrations'];

/**
 * Writes the programs of a service to `dist` in `output`, as JavaScript that needs no other module: `dist/main.js` for
 * `src/main.ts`, `dist/erase.js` for `src/erase/main.ts`, and `dist/health-probe.js`. Modules that programs share are in files
 * of their own.
 *
 * Names and line breaks stay, so that a stack trace can be read. A source map without the sources is beside each file.
 *
 * `dist` has no folders. So a module that reads a migration by `import.meta.url` has to be in `src` itself, not in a folder
 * below.
 *
 * @throws Error if there is no such service, a module that it imports cannot be found, or it needs a file that is not in the
 * bundle. The folder is then not complete.
 */
export async function bundleService(service: string, output: string): Promise<void> {
  const folder = join(root, 'services', service);
  const programs = programsOf(folder);
  if (!programs.has('main')) throw new Error(`services/${service}/src/main.ts does not exist`);
  const problems: string[] = [];
  await using build = await rolldown({
    cwd: root,
    input: Object.fromEntries(programs),
    platform: 'node',
    plugins: [importTelemetry, followRequire, loadHttp, keepFolders, rejectAddons],
    // A slow machine is no problem of the bundle.
    checks: { bundlerTimings: false },
    onLog(level, log) {
      // A package may import an optional one that is not installed.
      const isOptional = log.code === 'UNRESOLVED_IMPORT' && /[\\/]node_modules[\\/]/.test(log.id ?? '');
      if (level === 'warn' && !isOptional) problems.push(stripVTControlCharacters(log.message));
    },
  });
  const { output: files } = await build.write({
    dir: join(output, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    postBanner: modulesFolder,
    // V8 stores a text with other characters in twice the memory.
    charset: 'ascii',
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  const chunks = files.filter((file) => file.type === 'chunk');
  problems.push(...runTimeFileProblems(chunks, folder));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  for (const file of ownFiles)
    if (existsSync(join(folder, file))) cpSync(join(folder, file), join(output, file), { recursive: true });
  copyNotices(
    chunks.flatMap(({ moduleIds }) => moduleIds),
    output,
  );
}
