import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes PEM files to a folder that is removed when the process exits. Returns the path of each. */
export function writePems<Name extends string>(
  pems: Readonly<Record<Name, Uint8Array>>,
): Record<Name, string> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const write = ([name, pem]: [string, Uint8Array]) => {
    const path = join(folder, `${name}.pem`);
    writeFileSync(path, pem);
    return [name, path];
  };
  return Object.fromEntries(Object.entries<Uint8Array>(pems).map(write));
}
