import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCopy, postgresBinaries } from './binaries.ts';
import { serverUser } from './server-user.ts';

/** Only root runs the server as another user, who may not have access to the binaries. */
const isRoot = process.getuid?.() === 0;
let folder: string;
let native: string;
let copy: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acme-binaries-'));
  await chmod(folder, 0o755);
  native = join(folder, 'closed');
  copy = join(folder, 'copy');
  await cp(await postgresBinaries(undefined), native, { recursive: true, verbatimSymlinks: true });
  await chmod(native, 0o700);
});
afterEach(() => rm(folder, { recursive: true }));

const versionAsNobody = (binaries: string) =>
  execFileSync(join(binaries, 'bin/postgres'), ['--version'], {
    ...serverUser(),
    cwd: '/',
    encoding: 'utf8',
    stdio: 'pipe',
  });

test.runIf(isRoot)('binaries in a folder that the user nobody cannot enter run from a copy', async () => {
  expect(() => versionAsNobody(native)).toThrow('EACCES');
  expect(await openCopy(native, copy, serverUser())).toBe(copy);
  expect(versionAsNobody(copy)).toContain('PostgreSQL) 18');
  const { ctimeMs } = await stat(join(copy, 'bin/postgres'));
  await openCopy(native, copy, serverUser());
  expect((await stat(join(copy, 'bin/postgres'))).ctimeMs).toBe(ctimeMs);
});

test.runIf(isRoot)('concurrent starts make one complete copy', async () => {
  await Promise.all([1, 2, 3].map(() => openCopy(native, copy, serverUser())));
  expect(versionAsNobody(copy)).toContain('PostgreSQL) 18');
  expect((await readdir(folder)).sort()).toEqual(['closed', 'copy']);
});

test.runIf(isRoot)('a copy that lost files is replaced', async () => {
  await openCopy(native, copy, serverUser());
  await rm(join(copy, 'bin/postgres'));
  await openCopy(native, copy, serverUser());
  expect(versionAsNobody(copy)).toContain('PostgreSQL) 18');
});

test.runIf(isRoot)('a copy that another user could have written is not run', async () => {
  await openCopy(native, copy, serverUser());
  await chmod(copy, 0o777);
  await expect(openCopy(native, copy, serverUser())).rejects.toThrow(
    `${copy} was not made by this program: remove it`,
  );
  await rm(copy, { recursive: true });
  await symlink(native, copy);
  await expect(openCopy(native, copy, serverUser())).rejects.toThrow(
    `${copy} was not made by this program: remove it`,
  );
});

test.runIf(isRoot)('the error names a temporary folder that the user nobody cannot enter', async () => {
  await expect(openCopy(native, join(native, 'copy'), serverUser())).rejects.toThrow(
    `the user nobody cannot enter ${native}: run chmod o+x ${native}`,
  );
});
