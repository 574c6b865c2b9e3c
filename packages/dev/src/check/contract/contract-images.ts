import { mkdtempDisposableSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { runCommand } from '../../cli/run-command.ts';
import { contractBase } from './contract-base.ts';
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
export interface ContractImages {
  readonly before: ContractImage;
  readonly after: ContractImage;
}

/** The contract of a folder, present and earlier. Each is compiled once, for the first check that reads it. */
export interface CompiledContract extends Disposable {
  readonly folder: string;
  /** @throws Error when the contract does not compile. */
  present(): ContractImage;
  /**
   * Returns the contract to compare with; undefined when no earlier commit has one.
   *
   * @throws Error when the contract does not compile, or the history does not have its commit.
   */
  earlier(): ContractImage | undefined;
}

/**
 * Opens the contract in `folder`. All modules are one image, so that a file may move from one module to another. Disposing
 * removes the images.
 *
 * @param findBase Returns the commit of the earlier contract.
 */
export function openContract(
  folder: string,
  findBase = () => contractBase(process.env.CONTRACT_BASE, folder),
): CompiledContract {
  const temporary = mkdtempDisposableSync(join(tmpdir(), 'contract-images-'));
  let present: ContractImage | undefined;
  let earlier: ContractImage | undefined;
  return {
    folder,
    present: () => {
      present ??= compileContract(folder, join(temporary.path, 'present.binpb'));
      return present;
    },
    earlier: () => {
      earlier ??= compileEarlier(findBase(), folder, temporary.path);
      return earlier;
    },
    [Symbol.dispose]: () => temporary.remove(),
  };
}

/** Compiles the contract of a commit, with the installed packages, which no commit contains. */
function compileEarlier(
  commit: string | undefined,
  folder: string,
  temporary: string,
): ContractImage | undefined {
  if (commit === undefined) return undefined;
  const earlier = mkdtempSync(join(temporary, 'earlier-'));
  const archive = `${earlier}.tar`;
  runCommand(folder, 'git', 'archive', '--output', archive, commit);
  runCommand(earlier, 'tar', '--extract', '--file', archive);
  symlinkSync(join(folder, 'node_modules'), join(earlier, 'node_modules'));
  const modules = readModules(earlier);
  // Files of other authors count as theirs in the earlier contract too, even if its buf.yaml did not list them.
  const foreign = [...modules.foreign, ...readModules(folder).foreign];
  return compileContract(earlier, `${earlier}.binpb`, { ...modules, foreign });
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
