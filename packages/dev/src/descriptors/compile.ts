import { spawnSync } from 'node:child_process';
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { maxOutputBytes } from '../cli/run-command.ts';

/**
 * Compiles the contract in `folder`. The descriptors have the comments and the lines of the source.
 *
 * @throws Error when the contract does not compile.
 */
export function compileDescriptors(folder: string): FileRegistry {
  const built = spawnSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], {
    cwd: folder,
    maxBuffer: maxOutputBytes,
  });
  if (built.status !== 0) throw new Error(built.error?.message ?? `${built.stderr}`);
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, built.stdout));
}
