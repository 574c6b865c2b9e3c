import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { useDataFolder } from '../testing/data-folder.ts';
import { queryOnce } from '../testing/query-once.ts';
import { startEmbedded } from './embedded.ts';
import { serverUser } from './server-user.ts';

const isRoot = process.getuid?.() === 0;
const place = useDataFolder();

test('a new folder becomes a UTF-8 server that syncs to disk and keeps its data over a restart', async () => {
  const first = await place.start();
  await Promise.all([first.ensureDatabase('orders'), first.ensureDatabase('orders')]);
  await queryOnce(first.url('orders'), `CREATE TABLE kept AS SELECT 'über' AS word, upper('über') AS upper`);
  const settings = await queryOnce(
    first.url('orders'),
    `SELECT name, setting FROM pg_settings WHERE name IN
      ('fsync', 'listen_addresses', 'server_encoding', 'unix_socket_directories', 'max_connections') ORDER BY name`,
  );
  expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
    fsync: 'on',
    listen_addresses: '127.0.0.1',
    max_connections: '200',
    server_encoding: 'UTF8',
    unix_socket_directories: '',
  });
  await first.close();
  await first.close();
  await expect(queryOnce(first.url('orders'), 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  const second = await place.start();
  await second.ensureDatabase('orders');
  expect(await queryOnce(second.url('orders'), 'SELECT * FROM kept')).toEqual([
    { word: 'über', upper: 'ÜBER' },
  ]);
});

test('new parent folders are open, and only the data folder itself is closed to other users', async () => {
  const parent = join(place.dataFolder, 'made', 'on-the-way');
  await using _embedded = await startEmbedded({ dataFolder: join(parent, 'data') });
  expect((await stat(parent)).mode & 0o055).toBe(0o055);
  expect((await stat(join(parent, 'data'))).mode & 0o066).toBe(0);
});

test('a connection needs the password, which only the owner can read', async () => {
  place.copyTemplate();
  const embedded = await place.start();
  const wrong = embedded.url('postgres', { user: 'postgres', password: 'guess' });
  await expect(queryOnce(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  await queryOnce(embedded.url('postgres'), `CREATE ROLE "app/user" LOGIN PASSWORD 'p@ss/word'`);
  const role = embedded.url('postgres', { user: 'app/user', password: 'p@ss/word' });
  expect(await queryOnce(role, 'SELECT current_user AS name')).toEqual([{ name: 'app/user' }]);
  expect((await stat(join(place.dataFolder, 'password'))).mode & 0o777).toBe(0o600);
});

test('Ctrl-C in the terminal does not reach the server', async () => {
  place.copyTemplate();
  const owner = await place.startOwner();
  process.kill(-(owner.child.pid ?? 0), 'SIGINT');
  expect(await owner.nextLine()).toBe('interrupted');
  expect(await queryOnce(owner.answer, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await readFile(join(place.dataFolder, 'postgres.log'), 'utf8')).not.toContain('shutdown request');
});

test('close ends a busy server and its process', async () => {
  place.copyTemplate();
  const embedded = await place.start();
  const pid = await place.postmasterPid();
  const busy = queryOnce(embedded.url('postgres'), 'SELECT pg_sleep(30)').catch((error) => error);
  await queryOnce(embedded.url('postgres'), 'SELECT 1');
  await embedded[Symbol.asyncDispose]();
  expect(await busy).toBeInstanceOf(Error);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(existsSync(join(place.dataFolder, 'pgdata/postmaster.pid'))).toBe(false);
});

test('a killed server starts again on its port with the committed data, and both are reported', async () => {
  place.copyTemplate();
  const [onExit, onRestart] = [vi.fn(), vi.fn()];
  await using embedded = await startEmbedded({ dataFolder: place.dataFolder, onExit, onRestart });
  await queryOnce(embedded.url('postgres'), 'CREATE TABLE kept AS SELECT 7 AS n');
  const connected = new pg.Client({ connectionString: embedded.url('postgres') });
  connected.on('error', () => {});
  const disconnected = new Promise<void>((resolve) => connected.once('end', resolve));
  await connected.connect();
  await embedded.kill();
  await embedded.kill();
  expect([embedded.isRunning, onExit.mock.calls.length]).toEqual([false, 1]);
  await disconnected;
  await Promise.all([embedded.start(), embedded.start()]);
  expect([embedded.isRunning, onRestart.mock.calls.length]).toEqual([true, 1]);
  expect(await queryOnce(embedded.url('postgres'), 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  await embedded.close();
  expect(onExit).toHaveBeenCalledTimes(1);
  await expect(embedded.start()).rejects.toThrow('is closed');
});

test('the error names a port in use', async () => {
  place.copyTemplate();
  const other = createServer().listen(0, '127.0.0.1');
  place.undo.push(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(startEmbedded({ dataFolder: place.dataFolder, port })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
  );
  other.close();
  await once(other, 'close');
  const embedded = await startEmbedded({ dataFolder: place.dataFolder, port });
  place.undo.push(embedded.close);
  expect(embedded.port).toBe(port);
});

test.runIf(isRoot)('root runs the server as nobody, who cannot read the password or the lock', async () => {
  place.dataFolder = join(place.parent, 'new/folders/on the way');
  const embedded = await place.start();
  const { uid } = await stat(join(place.dataFolder, 'pgdata'));
  expect([uid, (await stat(place.dataFolder)).uid]).toEqual([serverUser()?.uid, 0]);
  const read = queryOnce(embedded.url('postgres'), `SELECT pg_read_file('${place.dataFolder}/password')`);
  await expect(read).rejects.toThrow('Permission denied');
});

test.runIf(isRoot)(
  'an ordinary user can start a server, and the error names a folder of another user',
  async () => {
    const user = serverUser();
    await mkdir(place.dataFolder);
    const stranger = await place.startOwner(user);
    expect(stranger.answer).toBe(
      `cannot use the data folder ${place.dataFolder} (EACCES): use one that you can write to`,
    );
    await chown(place.dataFolder, user?.uid ?? 0, user?.gid ?? 0);
    const owner = await place.startOwner(user);
    expect(await queryOnce(owner.answer, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  },
);

test('a dropped database loses its data, also while a client is connected', async () => {
  const server = await place.start();
  await server.ensureDatabase('orders');
  await queryOnce(server.url('orders'), 'CREATE TABLE lost AS SELECT 1');
  const client = new pg.Client({ connectionString: server.url('orders') });
  client.on('error', () => {});
  await client.connect();
  await server.dropDatabase('orders');
  await server.dropDatabase('orders');
  await server.ensureDatabase('orders');
  expect(await queryOnce(server.url('orders'), `SELECT to_regclass('lost') AS lost`)).toEqual([
    { lost: null },
  ]);
  await client.end();
});
