import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contractBase } from './contract-base.ts';

let folder: string;
let ours: string;
let commits = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'contract-base-'));
  ours = join(folder, 'ours');
  mkdirSync(ours);
  git('init', '--quiet', '--initial-branch', 'main');
});

afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): string {
  const who = ['-c', 'user.name=Gate', '-c', 'user.email=gate@localhost', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...who, ...args], { cwd: ours, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** A commit with a contract; gives its name. */
function commit(): string {
  writeFileSync(join(ours, 'buf.yaml'), 'version: v2\n');
  git('add', '.');
  git('commit', '--quiet', '--allow-empty', '--message', `Change ${++commits}`);
  return git('rev-parse', 'HEAD');
}

test('ensure a branch is compared with the commit where it left main', () => {
  const left = commit();
  git('switch', '--quiet', '--create', 'feature');
  commit();
  commit();
  git('switch', '--quiet', 'main');
  commit();
  git('switch', '--quiet', 'feature');
  expect(contractBase('', ours)).toBe(left);
});

test("ensure a pull request's merge commit is compared with the branch that it goes to", () => {
  commit();
  git('switch', '--quiet', '--create', 'feature');
  commit();
  git('switch', '--quiet', 'main');
  const main = commit();
  git('switch', '--quiet', '--detach');
  git('merge', '--quiet', '--no-ff', '--no-edit', 'feature');
  git('update-ref', 'refs/remotes/origin/main', main);
  expect(contractBase('origin/main', ours)).toBe(main);
});

test('ensure a push of several commits is compared with what was there before it, not with its last but one', () => {
  const before = commit();
  commit();
  const lastButOne = git('rev-parse', 'HEAD');
  commit();
  expect(contractBase(before, ours)).toBe(before);
  expect(contractBase('', ours)).toBe(lastButOne);
});

test('ensure the first push of a branch, which has no commit before it, is compared like any other', () => {
  const before = commit();
  commit();
  expect(contractBase('0'.repeat(40), ours)).toBe(before);
});

test('ensure nothing is compared where nothing was promised: before and at the first contract, and without git', () => {
  expect(contractBase('', ours)).toBeUndefined();
  git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
  commit();
  expect(contractBase('', ours)).toBeUndefined();
  expect(contractBase('', folder)).toBeUndefined();
});

test('ensure it is said when there is nothing to compare with though there should be', () => {
  commit();
  git('branch', '--move', 'trunk');
  expect(() => contractBase('', ours)).toThrow('origin/main or main');
  expect(() => contractBase('1234567', ours)).toThrow('1234567');
});

test('ensure a shallow clone is refused', () => {
  commit();
  commit();
  git('clone', '--quiet', '--depth', '1', `file://${ours}`, '../shallow');
  expect(() => contractBase('', join(folder, 'shallow'))).toThrow('fetch-depth: 0');
});
