import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contractBase } from './contract-base.ts';

let folder: string;
let clone: string;
let commits = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'contract-base-'));
  clone = join(folder, 'clone');
  mkdirSync(clone);
  git('init', '--quiet', '--initial-branch', 'main');
});

afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): string {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...who, ...args], { cwd: clone, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** Makes a commit with a contract, and returns its hash. */
function commit(): string {
  writeFileSync(join(clone, 'buf.yaml'), 'version: v2\n');
  writeFileSync(join(clone, 'depot.proto'), '');
  git('add', '.');
  return commitIndex();
}

function commitIndex(): string {
  git('commit', '--quiet', '--allow-empty', '--message', `Change ${++commits}`);
  return git('rev-parse', 'HEAD');
}

test('a branch is compared with the commit where it left main', () => {
  const left = commit();
  git('switch', '--quiet', '--create', 'feature');
  commit();
  commit();
  git('switch', '--quiet', 'main');
  commit();
  git('switch', '--quiet', 'feature');
  expect(contractBase('', clone)).toBe(left);
});

test("a pull request's merge commit is compared with its base branch", () => {
  commit();
  git('switch', '--quiet', '--create', 'feature');
  commit();
  git('switch', '--quiet', 'main');
  const main = commit();
  git('switch', '--quiet', '--detach');
  git('merge', '--quiet', '--no-ff', '--no-edit', 'feature');
  git('update-ref', 'refs/remotes/origin/main', main);
  expect(contractBase('origin/main', clone)).toBe(main);
});

test('a push of several commits is compared with the commit before the push, not with the last but one', () => {
  const before = commit();
  commit();
  const lastButOne = git('rev-parse', 'HEAD');
  commit();
  expect(contractBase(before, clone)).toBe(before);
  expect(contractBase('', clone)).toBe(lastButOne);
});

test('a change of the contract that is not committed on main is compared with the last commit, as it will be later', () => {
  const before = commit();
  const head = commit();
  expect(contractBase('', clone)).toBe(before);
  writeFileSync(join(clone, 'README.md'), 'not a contract');
  expect(contractBase('', clone)).toBe(before);
  writeFileSync(join(clone, 'order.proto'), 'syntax = "proto3";');
  expect(contractBase('', clone)).toBe(head);
  commit();
  expect(contractBase('', clone)).toBe(head);
});

test('a change that is not committed on a branch is compared with the commit where it left main, as it will be later', () => {
  const left = commit();
  git('switch', '--quiet', '--create', 'feature');
  commit();
  writeFileSync(join(clone, 'order.proto'), 'syntax = "proto3";');
  expect(contractBase('', clone)).toBe(left);
  commit();
  expect(contractBase('', clone)).toBe(left);
});

test('a contract in a folder of the repository is compared too', () => {
  mkdirSync(join(clone, 'api'));
  writeFileSync(join(clone, 'api/buf.yaml'), 'version: v2\n');
  writeFileSync(join(clone, 'api/depot.proto'), '');
  const before = commit();
  commit();
  expect(contractBase('', join(clone, 'api'))).toBe(before);
});

test('a repository with more names than 1 MiB is compared', () => {
  commit();
  const empty = git('hash-object', '-w', '--stdin');
  const names = Array.from({ length: 6000 }, (_, index) => `${index}-${'n'.repeat(200)}`);
  const entries = names.map((name) => `100644 ${empty} 0\t${name}\n`).join('');
  execFileSync('git', ['update-index', '--index-info'], { cwd: clone, input: entries });
  const before = commitIndex();
  commitIndex();
  expect(contractBase('', clone)).toBe(before);
});

test('the first push of a branch is compared with the commit where it left main', () => {
  const before = commit();
  commit();
  expect(contractBase('0'.repeat(40), clone)).toBe(before);
});

test('nothing is compared before and at the first contract, and without git', () => {
  expect(contractBase('', clone)).toBeUndefined();
  git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
  commit();
  expect(contractBase('', clone)).toBeUndefined();
  expect(contractBase('', folder)).toBeUndefined();
});

test('a missing main, or a missing commit to compare with, is an error', () => {
  commit();
  git('branch', '--move', 'trunk');
  expect(() => contractBase('', clone)).toThrow('origin/main or origin/master or main');
  expect(() => contractBase('1234567', clone)).toThrow('1234567');
});

test('a shallow clone is an error', () => {
  commit();
  commit();
  git('clone', '--quiet', '--depth', '1', `file://${clone}`, '../shallow');
  expect(() => contractBase('', join(folder, 'shallow'))).toThrow('fetch-depth: 0');
});

test('a commit with the buf.yaml of contracts that are installed has no contract to compare with', () => {
  writeFileSync(join(clone, 'buf.yaml'), 'version: v2\n');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Begin');
  commit();
  expect(contractBase('', clone)).toBe(undefined);
});
