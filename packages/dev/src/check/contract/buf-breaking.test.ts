import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { breakingChanges } from './testing/breaking-changes.ts';
import { type ContractChange, copyContract } from './testing/contract-copy.ts';
import { harmlessChanges } from './testing/harmless-changes.ts';
import { printVerdicts } from './testing/print-verdicts.ts';

// Each test starts a buf, and a small machine runs few of them at once.
vi.setConfig({ testTimeout: 60_000 });

const base = mkdtempSync(join(tmpdir(), 'contract-base-'));
const image = join(base, 'image.binpb');
const verdicts = new Map<ContractChange, string>();

/** Returns the rules of buf.yaml that this change breaks, as `npm run check` would. */
async function brokenRules(change: ContractChange): Promise<string[]> {
  using changed = copyContract(change.edits);
  const args = ['breaking', join(changed.folder, 'proto'), '--against', image, '--error-format', 'json'];
  const { code, out } = await new Promise<{ code: unknown; out: string }>((resolve) => {
    execFile('buf', args, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, out: stdout || stderr }),
    );
  });
  // 100: a rule is broken. Another code is a failure of buf, such as a contract that does not compile.
  if (code !== 0 && code !== 100) throw new Error(out);
  const lines = out.split('\n').filter(Boolean);
  const rules = [...new Set(lines.map((line): string => JSON.parse(line).type))].sort();
  verdicts.set(change, rules.join(', ') || 'passes');
  return rules;
}

beforeAll(() => {
  using contract = copyContract();
  execFileSync('buf', ['build', join(contract.folder, 'proto'), '--output', image]);
});

test.concurrent.each(breakingChanges)('buf breaking reports: $name', async (change) => {
  expect(await brokenRules(change)).toContain(change.rule);
});

test.concurrent.each(harmlessChanges)('buf breaking permits: $name', async (change) => {
  expect(await brokenRules(change)).toEqual([]);
});

afterAll(() => {
  rmSync(base, { recursive: true });
  const rows = [
    ...breakingChanges.map((change) => [change.name, change.breaks, verdicts.get(change) ?? '']),
    ...harmlessChanges.map((change) => [change.name, 'nothing', verdicts.get(change) ?? '']),
  ];
  printVerdicts('buf breaking, by change', ['change', 'breaks', 'verdict'], rows);
});
