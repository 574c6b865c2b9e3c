import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from '../repository/paths.ts';
import { copyNotices } from './copy-notices.ts';
import { importTelemetry, keepFolders, loadHttp, modulesFolder } from './library-plugins.ts';
import { programsOf } from './programs.ts';

/** Files of a service that its programs read when they run. */
const ownFiles = ['package.json', 'migrations'];

/**
 * Writes the programs of a service to `dist` in `output`, as JavaScript that needs no other module: `dist/main.js` for
 * `src/main.ts`, `dist/erase.js` for `src/erase/main.ts`, and `dist/health-probe.js`. Modules that programs share are in files
 * of their own.
 *
 * Names and line breaks stay, so that a stack trace can be read. A source map without the sources is beside each file.
 *
 * `dist` has no folders. So a module that reads a file by `import.meta.url` has to be in `src` itself, not in a folder below.
 *
 * @throws Error if there is no such service, or a module that it imports cannot be found.
 */
export async function bundleService(service: string, output: string): Promise<void> {
  const folder = join(root, 'services', service);
  const programs = programsOf(folder);
  if (!programs.has('main')) throw new Error(`services/${service}/src/main.ts does not exist`);
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(programs),
    platform: 'node',
    plugins: [importTelemetry, loadHttp, keepFolders],
    // A slow machine is no problem of the bundle.
    checks: { bundlerTimings: false },
    onLog(level, log) {
      // A package may import an optional one that is not installed.
      const isOptional = log.code === 'UNRESOLVED_IMPORT' && /[\\/]node_modules[\\/]/.test(log.id ?? '');
      if (level === 'warn' && !isOptional) throw new Error(log.message);
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
  await build.close();
  for (const file of ownFiles)
    if (existsSync(join(folder, file))) cpSync(join(folder, file), join(output, file), { recursive: true });
  copyNotices(
    files.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : [])),
    output,
  );
}
