import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkHealth } from '@acme/rpc/client/check-health';
import { createLogger } from '@acme/rpc/logging/logger';
import { channelCredentials } from '@acme/rpc/tls/channel-credentials';
import { audienceOf, openDevelopmentKeys } from '../certs/development-keys.ts';
import { writeAtomically } from '../certs/write-atomically.ts';
import type { ServicesAccess } from '../repository/services-access.ts';

/** The targets of running services, and the TLS files to call them with. */
export interface Announcement {
  /** Targets in gRPC's naming, by service name. */
  readonly targets: Readonly<Record<string, string>>;
  /** Mutual TLS with these files of the data folder; plain text when absent. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string } | undefined;
}

/** Writes where the services of this data folder run, for other commands. */
export async function announceServices(dataFolder: string, { targets, tls }: Announcement): Promise<void> {
  await writeAtomically(announcementFile(dataFolder), JSON.stringify({ targets, tls }), 0o644);
}

/** Removes what `announceServices` wrote. */
export async function withdrawServices(dataFolder: string): Promise<void> {
  await rm(announcementFile(dataFolder), { force: true });
}

/** Returns the services that run on this data folder, or undefined unless all of them are SERVING. */
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

/** Returns the services that run on this data folder, or throws an Error that says how to start them. */
export async function requireRunningServices(dataFolder: string): Promise<ServicesAccess> {
  const running = await findRunningServices(dataFolder);
  if (!running) throw new Error(`no service is running on ${dataFolder}: start them with npm start`);
  return running;
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
