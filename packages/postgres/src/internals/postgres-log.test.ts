import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresBinaries } from '../embedded/binaries.ts';
import { PortInUseError, startServer } from '../embedded/server-process.ts';
import { serverUser } from '../embedded/server-user.ts';
import { useDataFolder } from '../testing/data-folder.ts';
import { initdbFailure, startFailure } from './postgres-log.ts';

const place = useDataFolder();
const user = serverUser();

test('a server whose port is in use logs a bind error', async () => {
  place.copyTemplate();
  await using other = createServer((socket) => socket.destroy());
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const { port } = other.address() as AddressInfo;
  const starting = startServer({
    binaries: await postgresBinaries(user),
    user,
    pgdata: join(place.dataFolder, 'pgdata'),
    port,
    url: `postgres://postgres:x@127.0.0.1:${port}/postgres`,
    logFile: join(place.dataFolder, 'postgres.log'),
  });
  await expect(starting).rejects.toThrow(PortInUseError);
  await expect(starting).rejects.toThrow('PostgreSQL did not start: could not bind IPv4 address "127.0.0.1"');
});

test('the last FATAL line is the reason when there is no bind error', () => {
  const log =
    '1 LOG:  starting\n2 LOG:  line 1: invalid\n3 FATAL:  could not load pg_hba.conf\n4 LOG:  shut down\n';
  expect(startFailure(log)).toEqual({
    reason: 'could not load pg_hba.conf',
    isPortInUse: false,
    isMemoryInUse: false,
  });
});

test('a failed initdb names the reason', async () => {
  const initdb = join(await postgresBinaries(user), 'bin/initdb');
  let stderr = '';
  try {
    execFileSync(initdb, ['--pgdata=/nowhere', '--locale-provider=nonsense'], {
      ...user,
      cwd: '/',
      stdio: 'pipe',
    });
  } catch (error) {
    stderr = String((error as { stderr: Buffer }).stderr);
  }
  expect(initdbFailure(`a line before\n${stderr}`)).toBe(
    'initdb: error: unrecognized locale provider: nonsense',
  );
});
