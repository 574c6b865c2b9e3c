import { spawnSync } from 'node:child_process';
import { type Manifest, parseManifests } from './manifest.ts';

/** Commands that build a kustomization, in order of preference. */
const commands = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
] as const;

/**
 * Builds the kustomization in a folder with the kustomize on the PATH, or with the one inside kubectl. Returns undefined
 * when there is neither.
 *
 * @throws Error with the output of kustomize when the build fails.
 */
export function buildKustomization(folder: string): Manifest[] | undefined {
  for (const [command, verb] of commands) {
    const { status, stdout, stderr, error } = spawnSync(command, [verb, folder], { encoding: 'utf8' });
    if (error && 'code' in error && error.code === 'ENOENT') continue;
    if (status !== 0) throw error ?? new Error(`${command} ${verb}: ${stderr.trim()}`);
    return parseManifests(stdout);
  }
  return undefined;
}
