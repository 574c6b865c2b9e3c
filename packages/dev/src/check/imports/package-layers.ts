import { globSync } from 'node:fs';
import { kitScope, scope } from '../../repository/project.ts';
import { importsOf } from './import-graph.ts';

/** A module of the kit or of this repository, and the package's name in it. */
const packageModule = new RegExp(`^(?:${kitScope}|${scope})/([^/]+)`);

/** The packages that each package imports. `services` stands for every service. */
const permitted: Readonly<Record<string, readonly string[]>> = {
  rpc: [],
  postgres: ['rpc'],
  gen: ['rpc'],
  services: ['rpc', 'postgres', 'gen'],
  // `dev` loads services.ts instead of importing services.
  dev: ['rpc', 'postgres'],
  test: ['rpc', 'postgres', 'gen', 'services', 'dev'],
  lab: ['rpc', 'postgres', 'gen', 'services', 'dev', 'test'],
};

const layerText =
  'packages import from rpc <- postgres, gen <- services <- dev <- test, lab, and files of their own';

/**
 * Returns the imports of a package's source folder that are not permitted, and those of files outside of the folder, a
 * line each. Tests are included.
 */
export function packageProblems(repository: string, folder: string): string[] {
  const own = folder.split('/').at(-2) ?? '';
  return globSync(`${folder}/**/*.{ts,tsx}`, { cwd: repository })
    .toSorted()
    .flatMap((file) => {
      const { files, modules } = importsOf(repository, file);
      const forbidden = [
        ...files.filter((path) => !path.startsWith(`${folder}/`)),
        ...modules.filter((module) => !mayImport(own, packageModule.exec(module)?.[1])),
      ];
      return forbidden.map((imported) => `${file} imports ${imported}, which is not below it: ${layerText}`);
    });
}

/** Returns whether a package may import another one. The other is undefined for a package from npm. */
function mayImport(own: string, other: string | undefined): boolean {
  if (other === undefined || other === own) return true;
  return permitted[groupOf(own)]?.includes(groupOf(other)) ?? false;
}

function groupOf(name: string): string {
  return name in permitted ? name : 'services';
}
