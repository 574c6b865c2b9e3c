import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { root } from '../../repository/paths.ts';
import { projectName } from '../../repository/project.ts';
import type { Pods } from './manifest.ts';

/** Requires that the scripts of this repository with which pods run or are probed exist. */
export function scriptProblems({ spec }: Pods, servicesFolder: string): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => {
    const folder = workingFolder(container.image, servicesFolder);
    if (folder === undefined) return [];
    const isMissing = (script: string) =>
      !existsSync(script.startsWith('/app/') ? join(root, script.slice(5)) : join(folder, script));
    return scriptsOf(container)
      .filter(isMissing)
      .map((script) => `container ${container.name} runs ${script}, which is not in its image`);
  });
}

/**
 * The folder that the image's WORKDIR is a copy of. Undefined for an image that is not built here. The base calls the
 * images `PROJECT-NAME`; an overlay may choose another registry, `registry.example/PROJECT/NAME:0.1.0`.
 */
function workingFolder(image = '', servicesFolder: string): string | undefined {
  const last = image.replace(/@.*/, '').split('/').at(-1) ?? '';
  const name = last.replace(/:.*/, '').replace(new RegExp(`^${projectName}-`), '');
  if (name === 'tools') return root;
  const folder = join(servicesFolder, name);
  return name && existsSync(folder) ? folder : undefined;
}

/** A source file, or a program of a package. */
const isScript = /\.ts$|node_modules\/\.bin\//;

function scriptsOf({ command, args, ...probes }: Container): string[] {
  const { startupProbe, readinessProbe, livenessProbe } = probes;
  const probeWords = [startupProbe, readinessProbe, livenessProbe].flatMap(
    (each) => each?.exec?.command ?? [],
  );
  return [...(command ?? []), ...(args ?? []), ...probeWords].filter((word) => isScript.test(word));
}
