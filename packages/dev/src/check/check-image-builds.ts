import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';

const workflow = '.github/workflows/images.yml';

interface Workflow {
  readonly jobs: {
    readonly scan?: {
      readonly strategy?: { readonly matrix?: { readonly service?: string | readonly string[] } };
    };
  };
}

/**
 * Requires that `services.ts` lists every folder of `services/`, from which images.yml builds an image each, and no other.
 * A matrix that is written out must list them too. Returns undefined when there are no problems.
 */
export function checkImageBuilds(
  folder = root,
  names: readonly string[] = services.map(({ name }) => name),
): string | undefined {
  const path = join(folder, 'services');
  const folders = existsSync(path) ? readdirSync(path) : [];
  const matrix = matrixOf(folder);
  const problems = [
    ...folders
      .filter((each) => !names.includes(each))
      .map((each) => `services/${each} is not in services.ts, and ${workflow} builds its image`),
    ...names
      .filter((name) => !folders.includes(name))
      .map((name) => `services.ts lists ${name}, and services/${name} does not exist`),
    ...names
      .filter((name) => matrix && !matrix.includes(name))
      .map((name) => `no image of ${name} is built: add it to the matrix in ${workflow}`),
  ];
  return problems.join('\n') || undefined;
}

/** Returns the services of the matrix if it is written out. */
function matrixOf(folder: string): readonly string[] | undefined {
  const path = join(folder, workflow);
  if (!existsSync(path)) return undefined;
  const { jobs }: Workflow = parse(readFileSync(path, 'utf8'));
  const service = jobs.scan?.strategy?.matrix?.service;
  return Array.isArray(service) ? service : undefined;
}
