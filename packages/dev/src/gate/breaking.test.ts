import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { breakingChanges } from './breaking-changes.ts';
import { type ContractChange, editedContract, repository } from './contract-change.ts';
import { harmlessChanges } from './harmless-changes.ts';

// Each starts a buf, and there are two processors.
vi.setConfig({ testTimeout: 60_000 });

const buf = join(repository, 'node_modules/.bin/buf');
// What the repository holds, compiled once.
const base = mkdtempSync(join(tmpdir(), 'contract-base-'));
const image = join(base, 'image.binpb');
const verdicts = new Map<ContractChange, string>();

/** The rules of buf.yaml that this change breaks, as `npm run check` would ask. */
async function brokenRules(change: ContractChange): Promise<string[]> {
  using changed = editedContract(change.edits);
  const args = ['breaking', join(changed.folder, 'proto'), '--against', image, '--error-format', 'json'];
  const { code, out } = await new Promise<{ code: unknown; out: string }>((resolve) => {
    execFile(buf, args, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, out: stdout || stderr }),
    );
  });
  // 100: something is broken; anything else that is not 0 is buf's own trouble, as a contract that does not compile.
  if (code !== 0 && code !== 100) throw new Error(out);
  const lines = out.split('\n').filter(Boolean);
  const rules = [...new Set(lines.map((line): string => JSON.parse(line).type))].sort();
  verdicts.set(change, rules.join(', ') || 'passes');
  return rules;
}

beforeAll(() => execFileSync(buf, ['build', join(repository, 'proto'), '--output', image]));

test.concurrent.each(breakingChanges)('ensure the gate stops a change: $name', async (change) => {
  expect(await brokenRules(change)).toContain(change.rule);
});

test.concurrent.each(harmlessChanges)('ensure the gate lets a change through: $name', async (change) => {
  expect(await brokenRules(change)).toEqual([]);
});

afterAll(() => {
  rmSync(base, { recursive: true });
  const rows = [
    ...breakingChanges.map((change) => [change.name, change.breaks, verdicts.get(change)]),
    ...harmlessChanges.map((change) => [change.name, 'nothing', verdicts.get(change)]),
  ];
  const table = [['change', 'breaks', 'verdict'], ['---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
  process.stdout.write(table);
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary) appendFileSync(summary, `## buf breaking, by change\n\n${table}\n`);
});
