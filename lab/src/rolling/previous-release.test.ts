import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '@acme/dev/cli';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { findPreviousRelease } from './previous-release.ts';

let folder: string;
let opened: AsyncDisposable;
beforeEach(async () => {
  const temporary = await openTemporaryFolder('previous-release-');
  opened = temporary;
  folder = join(temporary.path, 'repository');
  mkdirSync(folder);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'test');
  git('config', 'user.email', 'test@example.invalid');
});
afterEach(() => opened[Symbol.asyncDispose]());

const git = (...args: string[]) => runCommand(folder, 'git', ...args);

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

const fileOf = (name: string) => `services/orders/migrations/${name}`;

/** Commits a file, by default one beside the migrations. Returns the short id of the commit. */
function commit(file = 'services/orders/src/app.ts', text = `${Math.random()}`): string {
  write(file, text);
  git('add', '--all');
  git('commit', '--quiet', '--message', file);
  return git('rev-parse', '--short', 'HEAD');
}

const first = '0001_orders.sql';
const second = '0002_state.sql';
const third = '0003_index.sql';
const find = (base?: string) => findPreviousRelease(folder, 'orders', base);

test('the old code is the newest commit before the last migration', () => {
  commit(fileOf(first), 'orders');
  commit(fileOf(second), 'state');
  const old = commit();
  commit(fileOf(third), 'index');
  commit();
  expect(find()).toEqual({ migrations: [first, second], code: { commit: old } });
});

test('a migration that is not committed yet is the last one', () => {
  commit(fileOf(first), 'orders');
  const old = commit();
  write(fileOf(second), 'state');
  expect(find()).toEqual({ migrations: [first], code: { commit: old } });
});

test('a migration that got its number in a merge is not taken for the schema before it', () => {
  commit(fileOf(first), 'orders');
  git('switch', '--quiet', '--create', 'index');
  commit(fileOf('0002_index.sql'), 'index');
  git('switch', '--quiet', 'main');
  const old = commit(fileOf(second), 'state');
  git('merge', '--quiet', '--no-commit', 'index');
  git('mv', fileOf('0002_index.sql'), fileOf(third));
  git('commit', '--quiet', '--message', 'Merge');
  commit();
  expect(find()).toEqual({ migrations: [first, second], code: { commit: old } });
});

test('a copy that begins with all migrations has no old code, but an old schema', () => {
  write(fileOf(first), 'orders');
  commit(fileOf(second), 'state');
  expect(find()).toEqual({
    migrations: [first],
    code: { missing: `no commit has orders as it was before ${second}` },
  });
  rmSync(join(folder, '.git'), { recursive: true });
  expect(find()).toEqual({ migrations: [first], code: { missing: 'there is no git repository' } });
});

test('a repository that git cannot read is an error, because the old code would not be run', () => {
  commit(fileOf(first), 'orders');
  commit(fileOf(second), 'state');
  rmSync(join(folder, '.git'), { recursive: true });
  write('.git', 'gitdir: elsewhere');
  expect(() => find()).toThrow('not a git repository');
});

test('a service with one migration has nothing to deploy', () => {
  commit(fileOf(first), 'orders');
  expect(find()).toEqual({ migrations: [], code: { missing: 'orders has no migration but its first' } });
});

test('a shallow clone that does not reach the commit is rejected', () => {
  commit(fileOf(first), 'orders');
  commit(fileOf(second), 'state');
  commit();
  const clone = `${folder}-clone`;
  git('clone', '--quiet', '--depth=1', `file://${folder}`, clone);
  expect(() => findPreviousRelease(clone, 'orders')).toThrow(
    `before ${second} of orders: git fetch --unshallow`,
  );
});

test('a given commit is the old code, also when it has every migration', () => {
  const old = commit(fileOf(first), 'orders');
  const present = commit(fileOf(second), 'state');
  const full = (id: string) => git('rev-parse', id);
  expect(find(old)).toEqual({ migrations: [first], code: { commit: full(old) } });
  expect(find(present)).toEqual({ migrations: [first, second], code: { commit: full(present) } });
  write(fileOf(first), 'changed');
  expect(() => find(old)).toThrow(`${old} has other migrations of orders`);
});
