import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkHealth } from '@acme/rpc/client/check-health';
import { createLogger } from '@acme/rpc/log';
import { channelCredentials } from '@acme/rpc/tls/channel-credentials';
import { openDevelopmentKeys, writeWhole } from './development-keys.ts';
import type { PairAccess } from './pair.ts';

/** Where a pair is, and with which files it is called. */
export interface Announcement {
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
  /** Mutual TLS with these files of the data folder; plain text when absent. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string } | undefined;
}

/** Lets other commands find the pair that was started on this data folder. */
export async function announcePair(dataFolder: string, pair: Announcement): Promise<void> {
  const { ordersTarget, inventoryTarget, tls } = pair;
  await writeWhole(announcement(dataFolder), JSON.stringify({ ordersTarget, inventoryTarget, tls }), 0o644);
}

export async function withdrawPair(dataFolder: string): Promise<void> {
  await rm(announcement(dataFolder), { force: true });
}

/** The pair that runs on this data folder, undefined when none answers. */
export async function findRunningPair(dataFolder: string): Promise<PairAccess | undefined> {
  const announced: Announcement | undefined = await readFile(announcement(dataFolder), 'utf8').then(
    JSON.parse,
    () => undefined,
  );
  if (!announced) return undefined;
  const { ordersTarget, inventoryTarget } = announced;
  const credentials = await credentialsOf(dataFolder, announced);
  const up = await Promise.all(
    [ordersTarget, inventoryTarget].map((target) => checkHealth(target, { credentials })),
  );
  if (!up.every(Boolean)) return undefined;
  const keys = await openDevelopmentKeys(dataFolder);
  return {
    ordersTarget,
    inventoryTarget,
    credentials,
    token: (subject, scopes) => keys.sign({ subject, scopes, ttlSeconds: 60 * 60 }),
  };
}

async function credentialsOf(dataFolder: string, { tls }: Announcement): Promise<PairAccess['credentials']> {
  if (!tls) return undefined;
  const files = {
    certFile: join(dataFolder, tls.certFile),
    keyFile: join(dataFolder, tls.keyFile),
    caFile: join(dataFolder, tls.caFile),
  };
  const log = createLogger({ service: 'tools', level: 'silent' });
  return channelCredentials({ mode: 'mtls', ...files }, { developmentCertificates: true, log });
}

function announcement(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
