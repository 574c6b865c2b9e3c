import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempDisposableSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { runCommand } from '../cli/run-command.ts';
import type { Files } from './render-template.ts';

/** Files of the repository that buf and biome read. */
const configurations = ['buf.yaml', 'buf.gen.yaml', 'biome.json', 'package.json'];

/**
 * Returns the files formatted and checked by buf and biome, with the generated code of the new contract. This happens in
 * a temporary folder, so that a failure leaves the repository unchanged.
 */
export function stageFiles(root: string, service: string, files: Files): Files {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'new-service-'));
  const staged = (path: string) => join(folder.path, path);
  // biome.json extends a package's, and the contract of the kit may be a package's too.
  symlinkSync(join(root, 'node_modules'), staged('node_modules'));
  for (const path of [...configurations, ...contractFolders(root)])
    if (!path.startsWith('node_modules/')) cpSync(join(root, path), staged(path), { recursive: true });
  writeFiles(folder.path, files);
  const run = (command: string, ...args: string[]) => runCommand(folder.path, command, ...args);
  run('buf', 'format', '--write', '--path', `proto/${service}`);
  run('buf', 'lint');
  run('buf', 'generate');
  const formatted = [...files.keys()].filter(
    (path) => /\.(ts|json)$/.test(path) && path !== 'package-lock.json',
  );
  const code = formatted.filter((path) => path.endsWith('.ts'));
  // The template imports what any of its sections needs.
  run('biome', 'lint', '--write', '--unsafe', '--only=correctness/noUnusedImports', ...code);
  run('biome', 'check', '--write', '--colors=off', '--error-on-warnings', ...formatted);
  const generated = globSync(`gen/src/${service}/**/*.ts`, { cwd: folder.path });
  return new Map([...files.keys(), ...generated].map((path) => [path, readFileSync(staged(path), 'utf8')]));
}

/** Returns the folders of the contracts that buf knows. */
function contractFolders(root: string): string[] {
  const { modules }: { modules: readonly { path: string }[] } = parse(
    readFileSync(join(root, 'buf.yaml'), 'utf8'),
  );
  return modules.map(({ path }) => path);
}

/** Writes the files below `root`, and makes their folders. */
export function writeFiles(root: string, files: Files): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
