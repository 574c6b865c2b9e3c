import { cpSync, globSync } from 'node:fs';
import { join } from 'node:path';

const notices = ['package.json', '{LICEN[CS]E,NOTICE,COPYING}*'];

/** Files that a package reads when it runs: in grpc-js those of channelz. */
const readAtRunTime = ['proto/**/*.proto'];

const packageFolder = /^[^\0]*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/**
 * Copies the manifest and the licence of every npm package in a bundle to `node_modules` in `output`. Licences require
 * their copies, and scanners of images find packages by their manifests.
 *
 * @param modules Files in the bundle.
 */
export function copyNotices(modules: readonly string[], output: string): void {
  const folders = new Set(modules.flatMap((each) => packageFolder.exec(each)?.[0] ?? []));
  for (const folder of folders) {
    const copy = join(output, folder.slice(folder.search(/node_modules[\\/]/)));
    for (const file of globSync([...notices, ...readAtRunTime], { cwd: folder }))
      cpSync(join(folder, file), join(copy, file), { recursive: true });
  }
}
