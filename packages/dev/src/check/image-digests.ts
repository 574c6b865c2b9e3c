import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository/paths.ts';

/** The files that name container images. */
const files = [
  'Dockerfile',
  'docker-compose.yml',
  '.github/workflows/*.yml',
  '{,packages/dev/template/}deploy/**/*.yaml',
];

/** Where an image is named: a stage, the default of a build argument, a container of Compose, Kubernetes or a workflow. */
const places =
  /^\s*(?:-\s+)?(?:FROM\s+|ARG\s+\w+_IMAGE=|(?:image|container):\s+|uses:\s+docker:\/\/)['"]?(?<image>\S+?)['"]?(?:\s|$)/gm;

const pinned = /@sha256:[0-9a-f]{64}$/;

/** A tag can be moved to another image. Returns the images that no digest pins, a line each; undefined when there are none. */
export function imageDigests(folder = root): string | undefined {
  const problems = globSync(files, { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const stages = new Set([...text.matchAll(/^FROM\s+\S+\s+AS\s+(\S+)/gim)].map(([, stage]) => stage));
    return [...text.matchAll(places)]
      .map(({ groups }) => defaultOf(groups?.image ?? ''))
      .filter((image) => !stages.has(image) && !isBuiltHere(image) && !pinned.test(image))
      .map((image) => `${file}: ${image} is pinned by no digest`);
  });
  return problems.toSorted().join('\n') || undefined;
}

/** The default of `${VARIABLE:-image}`; nothing of a variable without one, whose value is named elsewhere. */
function defaultOf(image: string): string {
  return image.replace(/^\$\{\w+:-(.*)\}$/, '$1');
}

function isBuiltHere(image: string): boolean {
  return image.startsWith('saturday-') || image.startsWith('$');
}
