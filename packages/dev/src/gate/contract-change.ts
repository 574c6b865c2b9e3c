import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contracts } from '../generate/contracts.ts';

export const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** One edit of a file below `proto/`. Without `replace` it writes a new file. */
export interface Edit {
  readonly file: string;
  /** Stands once in the file. */
  readonly replace?: string;
  readonly with: string;
}

export interface ContractChange {
  readonly name: string;
  readonly edits: readonly Edit[];
}

export function edit(file: string, replace: string, replacement: string): Edit {
  return { file, replace, with: replacement };
}

/** A copy of the contract, its rules and its generated code, with these edits. Disposing removes it. */
export function editedContract(edits: readonly Edit[]): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'));
  const parts = contracts.flatMap(({ proto, template, generated }) => [proto, template, generated]);
  for (const part of ['buf.yaml', ...parts])
    cpSync(join(repository, part), join(folder, part), { recursive: true });
  for (const { file, replace, with: replacement } of edits) {
    const path = join(folder, 'proto', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, replace === undefined ? replacement : replaceOnce(path, replace, replacement));
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function replaceOnce(path: string, replace: string, replacement: string): string {
  const parts = readFileSync(path, 'utf8').split(replace);
  if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} times, not once: ${replace}`);
  return parts.join(replacement);
}
