import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { programsOf } from '../../bundle/programs.ts';
import { root } from '../../repository/paths.ts';
import { projectName } from '../../repository/project.ts';
import type { Pods } from './manifest.ts';

/** Requires that the scripts of this repository with which pods run or are probed exist. */
export function scriptProblems({ spec }: Pods, servicesFolder: string): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => {
    const scripts = scriptsIn(container.image, servicesFolder);
    if (!scripts) return [];
    return scriptsOf(container)
      .filter((script) => !scripts(script.replace(/^\/app\//, '')))
      .map((script) => `container ${container.name} runs ${script}, which is not in its image`);
  });
}

/**
 * Returns whether an image has a script in its WORKDIR. Undefined for an image that is not built here. The base calls the
 * images `PROJECT-NAME`; an overlay may choose another registry, `registry.example/PROJECT/NAME:0.1.0`.
 */
function scriptsIn(image = '', servicesFolder: string): ((script: string) => boolean) | undefined {
  const last = image.replace(/@.*/, '').split('/').at(-1) ?? '';
  const name = last.replace(/:.*/, '').replace(new RegExp(`^${projectName}-`), '');
  if (name === 'tools') return (script) => existsSync(join(root, script));
  const folder = join(servicesFolder, name);
  if (!name || !existsSync(folder)) return undefined;
  const bundled = new Set([...programsOf(folder).keys()].map((program) => `dist/${program}.js`));
  return (script) => bundled.has(script);
}

/** A source file, a bundled program, or a program of a package. */
const isScript = /\.[jt]s$|node_modules\/\.bin\//;

function scriptsOf({ command, args, ...probes }: Container): string[] {
  const { startupProbe, readinessProbe, livenessProbe } = probes;
  const probeWords = [startupProbe, readinessProbe, livenessProbe].flatMap(
    (each) => each?.exec?.command ?? [],
  );
  return [...(command ?? []), ...(args ?? []), ...probeWords].filter((word) => isScript.test(word));
}
