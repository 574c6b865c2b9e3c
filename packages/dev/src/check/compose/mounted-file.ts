import { join, relative } from 'node:path';
import type { ComposeContainer } from './compose-project.ts';

/** A file or folder of the repository that a container mounts. */
interface Mount {
  /** Path from the repository's root. */
  readonly source: string;
  readonly target: string;
}

/** Lists the files and folders that a container mounts. Volumes are not among them. */
export function bindMounts({ volumes = [] }: ComposeContainer): Mount[] {
  return volumes
    .filter((volume) => volume.startsWith('.'))
    .map((volume) => {
      const [source = '', target = ''] = volume.split(':');
      return { source: join(source), target };
    });
}

/** Returns the path from the repository's root of a path in a container, or undefined when no mount has it. */
export function mountedFile(container: ComposeContainer, path: string): string | undefined {
  const mount = bindMounts(container).find(({ target }) => `${path}/`.startsWith(`${target}/`));
  return mount && join(mount.source, relative(mount.target, path));
}
