import { spawn } from 'node:child_process';
import { chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useDataFolder } from '../testing/data-folder.ts';
import { queryOnce } from '../testing/query-once.ts';
import { startEmbedded } from './embedded.ts';
import { serverUser } from './server-user.ts';

const isRoot = process.getuid?.() === 0;
const place = useDataFolder();

test('a second start fails with the id of the process that uses the folder, which is not disturbed', async () => {
  place.copyTemplate();
  const owner = await place.startOwner();
  await expect(startEmbedded({ dataFolder: place.dataFolder })).rejects.toThrow(
    `${place.dataFolder} is in use by process ${owner.child.pid}`,
  );
  expect(await queryOnce(owner.answer, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a start after kill -9 stops the orphaned server and finds the committed data', async () => {
  place.copyTemplate();
  const owner = await place.startOwner();
  await queryOnce(owner.answer, 'CREATE TABLE kept AS SELECT 7 AS n');
  const orphan = await place.postmasterPid();
  owner.child.kill('SIGKILL');
  await owner.exited;
  expect(await queryOnce(owner.answer, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  const next = await place.start();
  expect(await place.postmasterPid()).not.toBe(orphan);
  await expect(queryOnce(owner.answer, 'SELECT 1')).rejects.toThrow();
  expect(await queryOnce(next.url('postgres'), 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
});

test('a start after kill -9 of the owner and the server finds the committed data', async () => {
  place.copyTemplate();
  const owner = await place.startOwner();
  await queryOnce(owner.answer, 'CREATE TABLE kept AS SELECT 7 AS n');
  process.kill(await place.postmasterPid(), 'SIGKILL');
  owner.child.kill('SIGKILL');
  await owner.exited;
  const next = await place.start();
  expect(await queryOnce(next.url('postgres'), 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
});

test('a process that has the old server’s id by now is not stopped', async () => {
  place.copyTemplate();
  const embedded = await place.start();
  const pidFile = join(place.dataFolder, 'pgdata/postmaster.pid');
  const lines = await readFile(pidFile, 'utf8');
  await embedded.close();
  const user = serverUser();
  const bystander = spawn('sleep', ['60'], { ...user });
  place.undo.push(() => bystander.kill());
  await writeFile(pidFile, lines.replace(/^\d+/, String(bystander.pid)), { mode: 0o600 });
  if (user !== undefined) await chown(pidFile, user.uid, user.gid);
  const next = await place.start();
  expect(await queryOnce(next.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

test('the folder of a killed initdb is removed', async () => {
  await mkdir(join(place.dataFolder, 'initdb-killed/pgdata'), { recursive: true });
  await place.start();
  expect((await readdir(place.dataFolder)).sort()).toEqual([
    'lock',
    'lock.pid',
    'password',
    'pgdata',
    'postgres.log',
  ]);
});

test('the error names a data folder that is a file', async () => {
  await writeFile(place.dataFolder, '');
  await expect(startEmbedded({ dataFolder: place.dataFolder })).rejects.toThrow(
    `${place.dataFolder} is not a folder`,
  );
  await expect(startEmbedded({ dataFolder: join(place.dataFolder, 'below') })).rejects.toThrow(
    'is not a folder',
  );
});

test('data of another PostgreSQL version is reported and not changed', async () => {
  await mkdir(join(place.dataFolder, 'pgdata'), { recursive: true });
  await writeFile(join(place.dataFolder, 'pgdata/PG_VERSION'), '17\n');
  await expect(startEmbedded({ dataFolder: place.dataFolder })).rejects.toThrow(
    `${place.dataFolder} was made by PostgreSQL 17, but this is 18`,
  );
  expect(await readdir(join(place.dataFolder, 'pgdata'))).toEqual(['PG_VERSION']);
});

test('the error names a missing password file', async () => {
  place.copyTemplate();
  await rm(join(place.dataFolder, 'password'));
  await expect(startEmbedded({ dataFolder: place.dataFolder })).rejects.toThrow(
    `${place.dataFolder}/password is missing`,
  );
});

test('the error quotes the server’s reason for not starting, and the folder is unlocked', async () => {
  place.copyTemplate();
  const config = join(place.dataFolder, 'pgdata/pg_hba.conf');
  const good = await readFile(config, 'utf8');
  await writeFile(config, 'nonsense\n');
  const error = await startEmbedded({ dataFolder: place.dataFolder }).catch((reason) => reason);
  expect(error.message).toBe(
    `PostgreSQL did not start: could not load ${config} (see ${join(place.dataFolder, 'postgres.log')})`,
  );
  await writeFile(config, good);
  await place.start();
});

test.runIf(isRoot)('the error names a folder that the user nobody cannot enter', async () => {
  const closed = join(place.parent, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const start = startEmbedded({ dataFolder: join(closed, 'data') });
  await expect(start).rejects.toThrow(`the user nobody, who cannot enter ${closed}: run chmod o+x ${closed}`);
});
