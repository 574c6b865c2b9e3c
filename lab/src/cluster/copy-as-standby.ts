import { appendFile, chown, copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Embedded } from '@acme/postgres/embedded';
import { takeBackup } from './base-backup.ts';

/** A running server and its data folder. */
export interface RunningServer {
  readonly embedded: Embedded;
  readonly dataFolder: string;
}

/** The name by which a primary knows its standby. */
export const standbyName = 'standby';

/**
 * Copies the data of a running server to `dataFolder`, where `startEmbedded` starts it as a standby that streams from that
 * server.
 */
export async function copyAsStandby(primary: RunningServer, dataFolder: string): Promise<void> {
  await mkdir(dataFolder, { recursive: true });
  await copyFile(join(primary.dataFolder, 'password'), join(dataFolder, 'password'));
  const url = primary.embedded.url('postgres');
  const pgdata = join(dataFolder, 'pgdata');
  await takeBackup({ dataFolder: primary.dataFolder, url }, pgdata);
  const signal = join(pgdata, 'standby.signal');
  await writeFile(signal, '', { mode: 0o600 });
  const { uid, gid } = await stat(pgdata);
  await chown(signal, uid, gid);
  const { port, username, password } = new URL(url);
  await appendFile(
    join(pgdata, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=${username} password=${password} application_name=${standbyName}'
synchronous_standby_names = ''
`,
  );
}
