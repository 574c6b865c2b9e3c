import { mkdirSync, mkdtempDisposableSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../cli/run-command.ts';
import { root } from '../../repository/paths.ts';
import { isKitVendored } from '../../repository/project.ts';

/** Folders of contracts that this repository does not define. Their authors decide how they change. */
const foreignFolders = ['buf', 'connectrpc', 'google', 'grpc', ...(isKitVendored ? [] : ['policy'])];

/**
 * Compares the contracts of all modules with those of an earlier commit. Both are compared as one image, so that a file
 * may move from one module to another. The earlier contract is compiled with the installed kit, which no commit contains.
 *
 * @throws Error with buf's report of breaking changes.
 */
export function checkBreaking(commit: string): undefined {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'contract-base-'));
  const [before, after] = [join(folder.path, 'before.binpb'), join(folder.path, 'after.binpb')];
  const earlier = join(folder.path, 'earlier');
  const archive = join(folder.path, 'earlier.tar');
  mkdirSync(earlier);
  runCommand(root, 'git', 'archive', '--output', archive, commit);
  runCommand(earlier, 'tar', '--extract', '--file', archive);
  symlinkSync(join(root, 'node_modules'), join(earlier, 'node_modules'));
  runCommand(earlier, 'buf', 'build', '--output', before);
  runCommand(root, 'buf', 'build', '--output', after);
  const excluded = foreignFolders.flatMap((each) => ['--exclude-path', each]);
  runCommand(root, 'buf', 'breaking', after, '--against', before, ...excluded);
}
