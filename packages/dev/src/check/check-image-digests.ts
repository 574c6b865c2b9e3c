import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository/paths.ts';
import { projectName } from '../repository/project.ts';

/** The files that name container images. */
const files = [
  'Dockerfile',
  'docker-compose.yml',
  '.github/workflows/*.yml',
  '{,packages/dev/template/}deploy/**/*.yaml',
];

/** The places that name an image: a stage, a build argument, a container of Compose, Kubernetes or a workflow. */
const places =
  /^\s*(?:-\s+)?(?:FROM\s+|ARG\s+\w+_IMAGE=|(?:image|container):\s+|uses:\s+docker:\/\/)['"]?(?<image>\S+?)['"]?(?:\s|$)/gm;

const pinned = /@sha256:[0-9a-f]{64}$/;

/**
 * Lists the images that are not pinned by digest, a line each. Returns undefined when there are none. A tag can be moved
 * to another image.
 */
export function checkImageDigests(folder = root): string | undefined {
  const problems = globSync(files, { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const stages = new Set([...text.matchAll(/^FROM\s+\S+\s+AS\s+(\S+)/gim)].map(([, stage]) => stage));
    return [...text.matchAll(places)]
      .map(({ groups }) => defaultOf(groups?.image ?? ''))
      .filter((image) => !stages.has(image) && !isBuiltHere(image) && !pinned.test(image))
      .map((image) => `${file}: ${image} is not pinned by digest`);
  });
  return problems.toSorted().join('\n') || undefined;
}

/** Resolves `${VARIABLE:-image}` to its default. A variable without a default is set in another of the files. */
function defaultOf(image: string): string {
  return image.replace(/^\$\{\w+:-(.*)\}$/, '$1');
}

function isBuiltHere(image: string): boolean {
  return image.startsWith(`${projectName}-`) || image.startsWith('$');
}
