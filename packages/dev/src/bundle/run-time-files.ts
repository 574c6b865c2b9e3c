import { globSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { OutputChunk } from 'rolldown';
import { root } from '../repository/paths.ts';
import { packageFolders } from './copy-notices.ts';

/** A text that is read when the service runs, instead of a module that the bundle contains. */
const isComputed = /\bimport\((?!\s*["'])/;

const ownLocation = /\bimport\.meta\.(url|dirname|filename)\b/;

/** What an image has beside `dist`. */
const migrations = /new URL\("\.\.\/migrations\/[^"]*", import\.meta\.url\)/g;

/**
 * Returns a problem for each module that loads or reads a file when it runs that is not in the image: modules of the service
 * in `folder`, and npm packages with machine code.
 */
export function runTimeFileProblems(chunks: readonly OutputChunk[], folder: string): string[] {
  const sources = join(folder, 'src');
  const own = chunks.flatMap((chunk) =>
    Object.entries(chunk.modules).flatMap(([file, { code }]) => {
      if (!file.startsWith(sources + sep) || !code) return [];
      const isInSources = dirname(file) === sources;
      const name = relative(root, file);
      const problems: string[] = [];
      if (isComputed.test(code))
        problems.push(`${name} imports a module whose name it computes: import each module by its name`);
      if (ownLocation.test(isInSources ? code.replaceAll(migrations, '') : code))
        problems.push(
          `${name} uses import.meta.url, and the file is not in the image: import the data, or embed it in a module. A ` +
            "migration is in the image: write new URL('../migrations/…', import.meta.url) in a module of src itself",
        );
      return problems;
    }),
  );
  const addons = packageFolders(chunks.flatMap(({ moduleIds }) => moduleIds))
    .filter((each) => globSync(['binding.gyp', '**/*.node'], { cwd: each }).length > 0)
    .map(addonProblem);
  return [...own, ...addons];
}

/** Returns the problem of a package, or a file, with machine code. */
export function addonProblem(path: string): string {
  return `${relative(root, path)} is machine code, which a bundle cannot contain: run the service from its sources, in the image \`tools\``;
}
