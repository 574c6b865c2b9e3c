import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { docker } from './docker.ts';

/** The images on which the stack is built. */
export interface BaseImages {
  readonly node: string;
  readonly postgres: string;
}

/**
 * Finds the base images that Dockerfile and the files of Compose pin. When an image cannot be pulled, the local image with
 * the same tag replaces it, and `say` is called with its name.
 */
export async function findBaseImages(say: (line: string) => void): Promise<BaseImages> {
  return {
    node: await findImage(pinnedIn('Dockerfile', /^ARG NODE_IMAGE=(\S+)$/m), say),
    postgres: await findImage(pinnedIn('deploy/compose/postgres.yaml', /\$\{POSTGRES_IMAGE:-(\S+)\}/), say),
  };
}

function pinnedIn(file: string, pattern: RegExp): string {
  const [, image] = pattern.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  if (image === undefined) throw new Error(`${file} has no image that matches ${pattern.source}`);
  return image;
}

async function findImage(pinned: string, say: (line: string) => void): Promise<string> {
  const [tag = pinned] = pinned.split('@');
  if (await isLocal(pinned)) return pinned;
  try {
    await docker('pull', '--quiet', pinned);
    return pinned;
  } catch (error) {
    if (!(await isLocal(tag))) throw error;
    say(`${pinned} cannot be pulled: the local ${tag} replaces it`);
    return tag;
  }
}

function isLocal(image: string): Promise<boolean> {
  return docker('image', 'inspect', '--format', '{{.Id}}', image).then(
    () => true,
    () => false,
  );
}
