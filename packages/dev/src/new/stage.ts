import { cpSync, globSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import type { Files } from './render.ts';

/** What the tools that judge and complete the files read. */
const context = ['proto', 'packages/rpc/proto', 'buf.yaml', 'buf.gen.yaml', 'biome.json', 'package.json'];

/**
 * The files as they are to be written: formatted, held to the rules of buf and biome, and with the generated code of
 * the new contract. All of it happens in a folder of its own, so that nothing has changed when it fails.
 */
export function complete(root: string, service: string, files: Files): Files {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'new-service-'));
  const staged = (path: string) => join(folder.path, path);
  for (const path of context) cpSync(join(root, path), staged(path), { recursive: true });
  writeFiles(folder.path, files);
  const run = (command: string, ...args: string[]) => runCommand(folder.path, command, ...args);
  run('buf', 'format', '--write', '--path', `proto/${service}`);
  run('buf', 'lint');
  run('buf', 'generate');
  const formatted = [...files.keys()].filter(
    (path) => /\.(ts|json)$/.test(path) && path !== 'package-lock.json',
  );
  run('biome', 'check', '--write', '--colors=off', '--error-on-warnings', ...formatted);
  const generated = globSync(`gen/src/${service}/**/*.ts`, { cwd: folder.path });
  return new Map([...files.keys(), ...generated].map((path) => [path, readFileSync(staged(path), 'utf8')]));
}

export function writeFiles(root: string, files: Files): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
