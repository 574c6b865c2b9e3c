import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from '@acme/dev/repository';
import { goEnvironment } from '../../harness/go-environment.ts';

/** Folders of the contract that the server is generated from. Go has its own `google.rpc`. */
const contracts = ['proto/inventory', 'packages/rpc/proto/policy', 'packages/rpc/proto/buf'];

/**
 * Generates and builds the server in `go/`, and returns its program. Go's cache keeps what it has built before.
 *
 * @param folder Folder for the generated code and the program.
 * @throws Error in one line when Go is not installed or the server cannot be built.
 */
export function buildGoServer(folder: string): URL {
  const go = goEnvironment();
  const env = { ...go, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${go.PATH}` };
  const cwd = join(folder, 'go');
  cpSync(fileURLToPath(new URL('./go/', import.meta.url)), cwd, { recursive: true });
  const run = (command: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
  };
  run('buf', 'generate', root, ...contracts.flatMap((path) => ['--path', join(root, path)]));
  run('go', 'build', '-o', 'server', '.');
  return pathToFileURL(join(cwd, 'server'));
}
