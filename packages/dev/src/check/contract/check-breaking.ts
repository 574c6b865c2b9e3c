import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../cli/run-command.ts';
import { root } from '../../repository/paths.ts';

/** Folders of contracts that this repository does not define. Their authors decide how they change. */
const foreignFolders = ['buf', 'connectrpc', 'google', 'grpc'];

/**
 * Compares the contracts of all modules with those of an earlier commit. Both are compared as one image, so that a file
 * may move from one module to another.
 *
 * @throws Error with buf's report of breaking changes.
 */
export function checkBreaking(commit: string): undefined {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'contract-base-'));
  const [before, after] = [join(folder.path, 'before.binpb'), join(folder.path, 'after.binpb')];
  runCommand(root, 'buf', 'build', `.git#ref=${commit}`, '--output', before);
  runCommand(root, 'buf', 'build', '--output', after);
  const excluded = foreignFolders.flatMap((each) => ['--exclude-path', each]);
  runCommand(root, 'buf', 'breaking', after, '--against', before, ...excluded);
}
