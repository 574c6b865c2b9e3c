import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository/paths';
import { docker } from './docker.ts';

/** The images that the stack is built on. */
export interface BaseImages {
  readonly node: string;
  readonly postgres: string;
}

/**
 * Finds the base images that Dockerfile and docker-compose.yml pin. Where no registry can be reached, the image that the
 * local engine has under the same tag takes a pinned one's place, and `say` names it.
 */
export async function findBaseImages(say: (line: string) => void): Promise<BaseImages> {
  return {
    node: await findImage(pinnedIn('Dockerfile', /^ARG NODE_IMAGE=(\S+)$/m), say),
    postgres: await findImage(pinnedIn('docker-compose.yml', /\$\{POSTGRES_IMAGE:-(\S+)\}/), say),
  };
}

function pinnedIn(file: string, pattern: RegExp): string {
  const [, image] = pattern.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  if (image === undefined) throw new Error(`${file} names no image as ${pattern.source}`);
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
    say(`${pinned} cannot be pulled: the local ${tag} takes its place`);
    return tag;
  }
}

function isLocal(image: string): Promise<boolean> {
  return docker('image', 'inspect', '--format', '{{.Id}}', image).then(
    () => true,
    () => false,
  );
}
