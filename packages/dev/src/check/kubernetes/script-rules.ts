import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { root } from '../../repository/paths.ts';
import type { Pods } from './manifest.ts';

/** Where the images made of this repository start, by their names in the base. The Dockerfile's WORKDIR. */
function workingFolder(image = ''): string | undefined {
  const [, name] = /^saturday-([a-z-]+)$/.exec(image) ?? [];
  if (name === undefined) return undefined;
  return name === 'tools' ? '' : join('services', name);
}

/** The scripts of this repository that a pod runs or probes with, and that are not there. */
export function scriptBreaks({ spec }: Pods): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => {
    const folder = workingFolder(container.image);
    if (folder === undefined) return [];
    return wordsOf(container)
      .filter((word) => word.endsWith('.ts'))
      .filter(
        (word) => !existsSync(join(root, word.startsWith('/app/') ? word.slice(5) : join(folder, word))),
      )
      .map((word) => `container ${container.name} runs ${word}, which is not in its image`);
  });
}

function wordsOf({
  command,
  args,
  startupProbe,
  readinessProbe,
  livenessProbe,
}: IContainer): readonly string[] {
  const probes = [startupProbe, readinessProbe, livenessProbe];
  return [...(command ?? []), ...(args ?? []), ...probes.flatMap((probe) => probe?.exec?.command ?? [])];
}
