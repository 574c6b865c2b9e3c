import { globSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, join } from 'node:path';

/**
 * Returns the sources of the programs in the image of a service, by their names: `main`, `erase` of `src/erase/main.ts`, and
 * the kit's `health-probe`. Returns only that one if the folder has no service.
 */
export function programsOf(folder: string): ReadonlyMap<string, string> {
  const sources = join(folder, 'src');
  const own = globSync(['main.ts', '*/main.ts'], { cwd: sources });
  return new Map([
    ...own.map((file) => [basename(dirname(join('main', file))), join(sources, file)] as const),
    ['health-probe', healthProbe()],
  ]);
}

/** Returns the program of the kit with which a container checks its service. */
function healthProbe(): string {
  const file = findPackageJSON('@acme/rpc/server', import.meta.url) ?? '';
  const { bin } = JSON.parse(readFileSync(file, 'utf8')) as { bin: Record<string, string> };
  return join(dirname(file), bin['rpc-health-probe'] ?? '');
}
