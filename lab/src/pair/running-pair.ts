import { findRunningServices } from '@acme/dev/start/running-services';
import { type PairAccess, pairOf } from './pair.ts';

/** The pair that runs on this data folder, undefined when none answers. */
export async function findRunningPair(dataFolder: string): Promise<PairAccess | undefined> {
  const running = await findRunningServices(dataFolder);
  return running && pairOf(running);
}
