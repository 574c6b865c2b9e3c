import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';

/** Generates the code of the contract in `folder`, and returns the files of its `gen/src` that differ from it, or undefined. */
export function generatedDrift(folder = root): string | undefined {
  const fresh = mkdtempSync(join(tmpdir(), 'generated-'));
  try {
    runCommand(folder, 'buf', 'generate', '--output', fresh);
    const wanted = readTree(join(fresh, 'gen/src'));
    const committed = readTree(join(folder, 'gen/src'));
    const files = [...new Set([...wanted.keys(), ...committed.keys()])].sort();
    const drifted = files.filter((file) => wanted.get(file) !== committed.get(file));
    return drifted.length === 0
      ? undefined
      : `not what the contract says: ${drifted.join(', ')}: npm run generate`;
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
