import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';
import { type Contract, contracts } from './contracts.ts';

/** Generates the code of the contracts in `folder`, and returns the committed files that differ from it, or undefined. */
export function generatedDrift(folder = root): string | undefined {
  const problems = contracts.map((contract) => driftOf(folder, contract)).filter(Boolean);
  return problems.length > 0 ? problems.join('\n') : undefined;
}

function driftOf(folder: string, { template, generated }: Contract): string | undefined {
  const fresh = mkdtempSync(join(tmpdir(), 'generated-'));
  try {
    runCommand(folder, 'buf', 'generate', '--template', template, '--output', fresh);
    const wanted = readTree(join(fresh, generated));
    const committed = readTree(join(folder, generated));
    const files = [...new Set([...wanted.keys(), ...committed.keys()])].sort();
    const drifted = files.filter((file) => wanted.get(file) !== committed.get(file));
    return drifted.length === 0
      ? undefined
      : `not generated from the contract as it is: ${drifted.join(', ')}: npm run generate`;
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
