import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkHealth } from '@acme/rpc/client/check-health';
import { openDevelopmentKeys, writeWhole } from './development-keys.ts';
import type { PairAccess } from './pair.ts';

/** Lets other commands find the pair that was started on this data folder. */
export async function announcePair(dataFolder: string, pair: PairAccess): Promise<void> {
  const { ordersTarget, inventoryTarget } = pair;
  await writeWhole(announcement(dataFolder), JSON.stringify({ ordersTarget, inventoryTarget }), 0o644);
}

export async function withdrawPair(dataFolder: string): Promise<void> {
  await rm(announcement(dataFolder), { force: true });
}

/** The pair that runs on this data folder, undefined when none answers. */
export async function findRunningPair(dataFolder: string): Promise<PairAccess | undefined> {
  const announced = await readFile(announcement(dataFolder), 'utf8').then(JSON.parse, () => undefined);
  if (!announced) return undefined;
  const { ordersTarget, inventoryTarget } = announced;
  const up = await Promise.all([checkHealth(ordersTarget), checkHealth(inventoryTarget)]);
  if (!up.every(Boolean)) return undefined;
  const keys = await openDevelopmentKeys(dataFolder);
  return {
    ordersTarget,
    inventoryTarget,
    token: (subject, scopes) => keys.sign({ subject, scopes, ttlSeconds: 60 * 60 }),
  };
}

function announcement(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
