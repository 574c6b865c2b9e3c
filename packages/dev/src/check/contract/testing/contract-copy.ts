import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contracts } from '../../../generate/contracts.ts';
import { root } from '../../../repository/paths.ts';

/** One edit of a file below `proto/`. Without `replace` it writes a new file. */
export interface Edit {
  readonly file: string;
  /** Text that the file has exactly once. */
  readonly replace?: string;
  readonly with: string;
}

export interface ContractChange {
  readonly name: string;
  readonly edits: readonly Edit[];
}

export interface ContractCopy extends Disposable {
  readonly folder: string;
  apply(edits: readonly Edit[]): void;
}

// npm does this for `npm test`; an editor that runs one test does not.
process.env.PATH = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;

const kept = contracts.filter(({ proto }) => proto !== 'proto');

/** Parts of the repository that are copied: the rules, and every module but the services'. */
const parts = [
  'buf.yaml',
  'buf.gen.yaml',
  ...kept.flatMap(({ proto, template, generated }) => [proto, template, generated]),
];

const shop = fileURLToPath(new URL('./shop', import.meta.url));

export function edit(file: string, replace: string, replacement: string): Edit {
  return { file, replace, with: replacement };
}

/** Makes a folder with the tests' contract, held to the repository's rules, with these edits. Disposing removes it. */
export function copyContract(edits: readonly Edit[] = []): ContractCopy {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'));
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
  cpSync(shop, join(folder, 'proto/shop'), { recursive: true });
  const apply = (edits: readonly Edit[]) => {
    for (const { file, replace, with: replacement } of edits) {
      const path = join(folder, 'proto', file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, replace === undefined ? replacement : replaceOnce(path, replace, replacement));
    }
  };
  apply(edits);
  return { folder, apply, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function replaceOnce(path: string, replace: string, replacement: string): string {
  const pieces = readFileSync(path, 'utf8').split(replace);
  if (pieces.length !== 2) throw new Error(`${path} has ${pieces.length - 1} times, not once: ${replace}`);
  return pieces.join(replacement);
}
