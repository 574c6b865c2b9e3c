import { execFileSync } from 'node:child_process';

export interface Tarball {
  /** File name in the output folder. */
  readonly file: string;
  readonly unpackedBytes: number;
  /** Number of files in it. */
  readonly files: number;
}

/** Packs a package into a tarball with `npm pack`. */
export function packFolder(folder: string, output: string): Tarball {
  const args = ['pack', '--json', '--pack-destination', output];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }));
  return { file: packed.filename, unpackedBytes: packed.unpackedSize, files: packed.entryCount };
}
