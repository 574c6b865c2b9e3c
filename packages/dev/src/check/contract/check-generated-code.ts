import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../cli/run-command.ts';
import { type Contract, contracts } from '../../generate/contracts.ts';
import { root } from '../../repository/paths.ts';

/**
 * Generates the code of the contracts in `folder`, and returns the committed files that differ from it; undefined when
 * there are none.
 */
export function checkGeneratedCode(folder = root): string | undefined {
  const stale = contracts.flatMap((contract) => staleFiles(folder, contract));
  return stale.length > 0
    ? `not generated from the present contract: ${stale.join(', ')}: npm run generate`
    : undefined;
}

function staleFiles(folder: string, { template, generated }: Contract): string[] {
  const fresh = mkdtempSync(join(tmpdir(), 'generated-'));
  try {
    runCommand(folder, 'buf', 'generate', '--template', template, '--output', fresh);
    const wanted = readTree(join(fresh, generated));
    const committed = readTree(join(folder, generated));
    const files = [...new Set([...wanted.keys(), ...committed.keys()])].sort();
    return files
      .filter((file) => wanted.get(file) !== committed.get(file))
      .map((file) => join(generated, file));
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

function readTree(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}
