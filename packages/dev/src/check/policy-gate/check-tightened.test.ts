import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { acceptedFile } from '../contract/contract-base.ts';
import { type ContractImage, compileContract } from '../contract/contract-images.ts';
import { type ContractChange, copyContract, type Edit, edit } from '../contract/testing/contract-copy.ts';
import { printVerdicts } from '../contract/testing/print-verdicts.ts';
import { checkTightened } from './check-tightened.ts';
import { compareContracts } from './compare-contracts.ts';
import { loosenedChanges } from './testing/loosened-changes.ts';
import { tightenedChanges } from './testing/tightened-changes.ts';
import { changeText } from './tightened.ts';

// Each test starts a buf, and a small machine runs few of them at once.
vi.setConfig({ testTimeout: 60_000 });

const catalogue = 'shop/v1/catalogue_service.proto';
const images = mkdtempDisposableSync(join(tmpdir(), 'policy-gate-'));
const verdicts: string[][] = [];
let before: ContractImage;
let compiled = 0;

beforeAll(() => {
  using contract = copyContract();
  before = compile(contract.folder);
});

afterAll(() => {
  images.remove();
  printVerdicts('Policy gate, by change', ['change', 'verdict'], verdicts);
});

function compile(folder: string): ContractImage {
  return compileContract(folder, join(images.path, `${++compiled}.binpb`));
}

/** Returns the lines of the check for the tests' contract with these edits. */
function reported(edits: readonly Edit[]): string[] {
  using contract = copyContract(edits);
  return compareContracts({ before, after: compile(contract.folder) }).map(changeText);
}

describe('the policy gate', () => {
  test.each(tightenedChanges)('reports $change', ({ change, edits }) => {
    const found = reported(edits);
    verdicts.push([change, found.length > 0 ? 'reported' : 'passes']);
    expect(found).toEqual([change]);
  });

  test.each(loosenedChanges)('permits: $name', ({ name, edits }: ContractChange) => {
    const found = reported(edits);
    verdicts.push([name, found.length > 0 ? 'reported' : 'passes']);
    expect(found).toEqual([]);
  });

  test('compares services that have several tighter parts', () => {
    const edits = [
      edit(catalogue, 'seconds: 2}', 'seconds: 1}'),
      edit(catalogue, 'max_len = 64', 'max_len = 6'),
    ];
    expect(reported(edits)).toHaveLength(2);
  });
});

test('an incomplete policy is not compared, before and after it is completed', () => {
  using contract = copyContract([edit(catalogue, 'scopes: ["catalogue:write"]', '')]);
  const incomplete = compile(contract.folder);
  expect(compareContracts({ before: incomplete, after: before })).toEqual([]);
  expect(compareContracts({ before, after: incomplete })).toEqual([]);
});

describe('a tighter part', () => {
  const shorter = edit(catalogue, 'max_len = 64', 'max_len = 6');
  const change = 'shop.v1.AddItemRequest.sku: string.max_len 64 -> 6';
  const check = (folder: string) => checkTightened({ before, after: compile(folder) });

  test('is named with its file and line, and with the entry that accepts it', () => {
    using contract = copyContract([shorter]);
    const line =
      readFileSync(join(contract.folder, 'proto', catalogue), 'utf8')
        .split('\n')
        .findIndex((each) => each.includes('max_len = 6')) + 1;
    const report = check(contract.folder);
    expect(report).toContain(`proto/${catalogue}:${line}: ${change}\n`);
    expect(report).toContain(`- change: ${JSON.stringify(change)}\n  reason: `);
  });

  test('is accepted with a reason until it has landed, and the entry is then an error', () => {
    using contract = copyContract([shorter]);
    const entries = `- change: ${JSON.stringify(change)}\n  reason: No SKU is longer.\n`;
    writeFileSync(join(contract.folder, acceptedFile), entries);
    expect(check(contract.folder)).toBeUndefined();
    const landed = compile(contract.folder);
    expect(checkTightened({ before: landed, after: landed })).toContain(`remove the entry\n  ${change}`);
  });

  test('is not accepted by an entry for another value, or without a reason', () => {
    using contract = copyContract([shorter]);
    const accept = (entries: string) => writeFileSync(join(contract.folder, acceptedFile), entries);
    accept(`- change: ${JSON.stringify(change.replace('-> 6', '-> 60'))}\n  reason: No SKU is longer.\n`);
    expect(check(contract.folder)).toContain(`: ${change}\n`);
    accept(`- change: ${JSON.stringify(change)}\n`);
    expect(() => check(contract.folder)).toThrow('entry 1 must have change and reason');
  });

  test('of a contract of another author is not reported', () => {
    using contract = copyContract();
    const config = join(contract.folder, 'buf.yaml');
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('/proto/grpc\n', '/proto/grpc\n    - proto/shop\n'),
    );
    contract.apply([shorter]);
    expect(check(contract.folder)).toBeUndefined();
  });
});
