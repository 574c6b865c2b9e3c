import { mkdirSync, mkdtempDisposableSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { runCommand } from '../../cli/run-command.ts';
import { type Modules, ownFiles, readModules } from './own-files.ts';

/** The modules of one version of the contract, compiled as one image. */
export interface ContractImage {
  /** Folder with the modules. */
  readonly folder: string;
  readonly modules: Modules;
  /** File of the image. */
  readonly file: string;
  readonly descriptors: FileDescriptorSet;
  /** Paths of the files that this repository defines, by the name under which they are imported. */
  readonly own: ReadonlyMap<string, string>;
}

/** The present contract, and an earlier one. */
export interface ContractImages extends Disposable {
  readonly before: ContractImage;
  readonly after: ContractImage;
}

/**
 * Compiles the contract in `folder` and that of an earlier commit. All modules are one image, so that a file may move from
 * one module to another. The earlier contract is compiled with the installed packages, which no commit contains.
 *
 * @throws Error when a contract does not compile.
 */
export function compileContracts(commit: string, folder: string): ContractImages {
  const temporary = mkdtempDisposableSync(join(tmpdir(), 'contract-images-'));
  try {
    const earlier = extractCommit(commit, folder, temporary.path);
    const modules = readModules(folder);
    const listed = readModules(earlier);
    // Files of other authors count as theirs in the earlier contract too, even if its buf.yaml did not list them.
    const earlierModules = { ...listed, foreign: [...listed.foreign, ...modules.foreign] };
    const before = compileContract(earlier, join(temporary.path, 'before.binpb'), earlierModules);
    const after = compileContract(folder, join(temporary.path, 'after.binpb'), modules);
    return { before, after, [Symbol.dispose]: () => temporary.remove() };
  } catch (error) {
    temporary.remove();
    throw error;
  }
}

function extractCommit(commit: string, folder: string, temporary: string): string {
  const archive = join(temporary, 'earlier.tar');
  const earlier = join(temporary, 'earlier');
  mkdirSync(earlier);
  runCommand(folder, 'git', 'archive', '--output', archive, commit);
  runCommand(earlier, 'tar', '--extract', '--file', archive);
  symlinkSync(join(folder, 'node_modules'), join(earlier, 'node_modules'));
  return earlier;
}

/**
 * Compiles the modules in a folder as one image.
 *
 * @param file File for the image.
 * @throws Error when the contract does not compile.
 */
export function compileContract(folder: string, file: string, modules = readModules(folder)): ContractImage {
  runCommand(folder, 'buf', 'build', '--output', file);
  const descriptors = fromBinary(FileDescriptorSetSchema, readFileSync(file));
  return { folder, modules, file, descriptors, own: ownFiles(folder, modules) };
}
