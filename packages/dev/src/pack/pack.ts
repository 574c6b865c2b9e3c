import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { fail } from '../cli/fail.ts';
import { root } from '../repository/paths.ts';
import { buildPackage } from './build-package.ts';
import { packFolder } from './pack-folder.ts';

/** The packages that are published. Services and the packages of the proof are not. */
const published = ['packages/*/package.json', 'gen/package.json'];

parseCommandLine({
  call: 'npm run pack',
  summary: 'Builds the packages for a registry, into dist/packages.',
});

try {
  const output = join(root, 'dist/packages');
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  for (const manifest of globSync(published, { cwd: root }).toSorted()) {
    const folder = dirname(manifest);
    const staged = join(output, basename(folder));
    buildPackage(root, folder, staged);
    const { file, unpackedBytes, files } = packFolder(staged, output);
    const { name, version } = JSON.parse(readFileSync(join(staged, 'package.json'), 'utf8'));
    const kilobytes = Math.round(unpackedBytes / 1000);
    process.stdout.write(
      `${name}@${version}: ${files} files, ${kilobytes} kB unpacked, dist/packages/${file}\n`,
    );
  }
} catch (error) {
  fail(error);
}
