import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runIn } from './run-in.ts';

/** Variables with which npm uses a registry. */
type Registry = Readonly<Record<string, string>>;

/** Message of the line that a service on the patched kit logs for each call. */
export const patchedMessage = 'call, patched';

const callLine = `call.writeLog(defectCodes.has(code) ? 'error' : 'info', fields, 'call')`;

/** Builds the packages of this repository in `dist/packages`. Returns the sizes that are printed. */
export function packKit(): Promise<string> {
  return runIn(root, {}, process.execPath, 'packages/dev/src/pack/pack.ts');
}

/** Publishes the packages in a folder, unless the registry has their version. Returns the output. */
export function publishKit(registry: Registry, folder = 'dist/packages'): Promise<string> {
  return runIn(root, registry, '.ci/publish-packages', folder);
}

/** Publishes a version of `@acme/rpc` that logs calls with `patchedMessage`. Returns that version. */
export async function publishPatch(registry: Registry): Promise<string> {
  const version = '0.1.1';
  await using folder = await openTemporaryFolder('patched-');
  const patched = join(folder.path, 'rpc');
  await cp(join(root, 'dist/packages/rpc'), patched, { recursive: true });
  await replace(join(patched, 'package.json'), '"version": "0.1.0"', `"version": "${version}"`);
  const patchedLine = callLine.replace(`'call')`, `'${patchedMessage}')`);
  await replace(join(patched, 'dist/chain/logging.js'), callLine, patchedLine);
  await publishKit(registry, folder.path);
  return version;
}

async function replace(file: string, text: string, replacement: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (!before.includes(text)) throw new Error(`${file} does not contain ${text}`);
  await writeFile(file, before.replace(text, replacement));
}
