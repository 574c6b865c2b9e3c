import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkHealth } from '@acme/rpc/client/check-health';
import { createLogger } from '@acme/rpc/logging/logger';
import { channelCredentials } from '@acme/rpc/tls/channel-credentials';
import { audienceOf, openDevelopmentKeys, writeWhole } from '../certs/development-keys.ts';
import type { ServicesAccess } from '../repository/services-access.ts';

/** Where services are, and with which files they are called. */
export interface Announcement {
  /** By name, in gRPC's naming. */
  readonly targets: Readonly<Record<string, string>>;
  /** Mutual TLS with these files of the data folder; plain text when absent. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string } | undefined;
}

/** Lets other commands find the services that were started on this data folder. */
export async function announceServices(dataFolder: string, { targets, tls }: Announcement): Promise<void> {
  await writeWhole(announcementFile(dataFolder), JSON.stringify({ targets, tls }), 0o644);
}

export async function withdrawServices(dataFolder: string): Promise<void> {
  await rm(announcementFile(dataFolder), { force: true });
}

/** The services that run on this data folder, undefined unless all of them answer. */
export async function findRunningServices(dataFolder: string): Promise<ServicesAccess | undefined> {
  const announced: Partial<Announcement> | undefined = await readFile(
    announcementFile(dataFolder),
    'utf8',
  ).then(JSON.parse, () => undefined);
  const targets = announced?.targets;
  if (!targets) return undefined;
  const credentials = await credentialsOf(dataFolder, announced.tls);
  const up = await Promise.all(Object.values(targets).map((target) => checkHealth(target, { credentials })));
  if (!up.every(Boolean)) return undefined;
  const keys = await openDevelopmentKeys(dataFolder);
  return {
    targets,
    credentials,
    token: async (subject, scopes, audience = audienceOf(scopes)) =>
      keys.sign({ audience, subject, scopes, ttlSeconds: 60 * 60 }),
  };
}

async function credentialsOf(
  dataFolder: string,
  tls: Announcement['tls'],
): Promise<ServicesAccess['credentials']> {
  if (!tls) return undefined;
  const files = {
    certFile: join(dataFolder, tls.certFile),
    keyFile: join(dataFolder, tls.keyFile),
    caFile: join(dataFolder, tls.caFile),
  };
  const log = createLogger({ service: 'tools', level: 'silent' });
  return channelCredentials({ mode: 'mtls', ...files }, { developmentCertificates: true, log });
}

function announcementFile(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
