import { join } from 'node:path';
import { channelCredentials, checkHealth } from '@acme/rpc/client';
import { audienceOf, openDevelopmentKeys } from '../credentials/development-keys.ts';
import { type Announcement, readAnnouncement } from '../repository/announcement.ts';
import type { ServicesAccess } from '../repository/services-access.ts';

/** Returns the services that run on this data folder, or undefined unless all of them are SERVING. */
export async function findRunningServices(dataFolder: string): Promise<ServicesAccess | undefined> {
  const announced = await findAnnouncedServices(dataFolder);
  if (!announced) return undefined;
  const { targets, credentials } = announced;
  const up = await Promise.all(Object.values(targets).map((target) => checkHealth(target, { credentials })));
  return up.every(Boolean) ? announced : undefined;
}

/**
 * Returns the services that were started on this data folder, without a call of them: they may have been killed since.
 *
 * @throws Error that says how to start them.
 */
export async function announcedServices(dataFolder: string): Promise<ServicesAccess> {
  return (await findAnnouncedServices(dataFolder)) ?? notRunning(dataFolder);
}

async function findAnnouncedServices(dataFolder: string): Promise<ServicesAccess | undefined> {
  const announced = await readAnnouncement(dataFolder);
  const targets = announced?.targets;
  if (!targets) return undefined;
  const credentials = await credentialsOf(dataFolder, announced.tls);
  const keys = await openDevelopmentKeys(dataFolder);
  return {
    targets,
    credentials,
    token: async (subject, scopes, audience = audienceOf(scopes), ttlSeconds = 60 * 60) =>
      keys.sign({ audience, subject, scopes, ttlSeconds }),
  };
}

/** Returns the services that run on this data folder, or throws an Error that says how to start them. */
export async function requireRunningServices(dataFolder: string): Promise<ServicesAccess> {
  return (await findRunningServices(dataFolder)) ?? notRunning(dataFolder);
}

function notRunning(dataFolder: string): never {
  throw new Error(`no service is running on ${dataFolder}: start them with npx svc start`);
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
  // Loaded for TLS only: most calls are local, and wait for what is loaded.
  const { createLogger } = await import('@acme/rpc/logging');
  const log = createLogger({ service: 'svc', level: 'silent' });
  return channelCredentials({ mode: 'mtls', ...files }, { developmentCertificates: true, log });
}
