import { globSync } from 'node:fs';
import { importsOf } from './import-graph.ts';

/** The layers of packages, the lowest first. `services` stands for every service. */
const layers = ['gen', 'rpc', 'postgres', 'services', 'dev', 'test', 'lab'];

/**
 * Returns the imports of a package's source folder that run to its own layer or to a higher one, and those of files
 * outside of the folder, a line each. Tests are included.
 */
export function packageProblems(repository: string, folder: string): string[] {
  const own = folder.split('/').at(-2) ?? '';
  return globSync(`${folder}/**/*.ts`, { cwd: repository })
    .toSorted()
    .flatMap((file) => {
      const { files, modules } = importsOf(repository, file);
      const forbidden = [
        ...files.filter((path) => !path.startsWith(`${folder}/`)),
        ...modules.filter((module) => !mayImport(own, /^@acme\/([^/]+)/.exec(module)?.[1])),
      ];
      return forbidden.map((imported) => `${file} imports ${imported}: see "Layers" in ARCHITECTURE.md`);
    });
}

/** Returns whether a package may import another one. The other is undefined for a package from npm. */
function mayImport(own: string, other: string | undefined): boolean {
  if (other === undefined || other === own) return true;
  // `dev` loads services.ts instead.
  if (own === 'dev' && layerOf(other) === layerOf('services')) return false;
  return layerOf(other) < layerOf(own);
}

function layerOf(name: string): number {
  return layers.indexOf(layers.includes(name) ? name : 'services');
}
