import { cpSync, globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const isNotice = /^(package\.json$|licen[cs]e|notice|copying)/i;

/** Files that a package reads when it runs: in grpc-js those of channelz. */
const readAtRunTime = 'proto/**/*.proto';

const packageFolder = /^[^\0]*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/**
 * Copies the manifest and the licence of every npm package in a bundle to `node_modules` in `output`. Licences require
 * their copies, and scanners of images find packages by their manifests.
 *
 * @param modules Files in the bundle.
 */
export function copyNotices(modules: readonly string[], output: string): void {
  for (const folder of packageFolders(modules)) {
    const copy = join(output, folder.slice(folder.search(/node_modules[\\/]/)));
    const files = readdirSync(folder).filter((file) => isNotice.test(file));
    for (const file of [...files, ...globSync(readAtRunTime, { cwd: folder })])
      cpSync(join(folder, file), join(copy, file), { recursive: true });
  }
}

/** Returns the folders of the npm packages that modules are in. */
export function packageFolders(modules: readonly string[]): string[] {
  return [...new Set(modules.flatMap((each) => packageFolder.exec(each)?.[0] ?? []))];
}
