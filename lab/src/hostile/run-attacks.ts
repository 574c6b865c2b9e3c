import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../cluster/cluster.ts';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { imageEnvironment } from '../cluster/image-environment.ts';
import { warmUp } from '../cluster/warm-up.ts';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import type { Attack } from './attack/attack.ts';
import { type AttackResult, runAttack } from './run-attack.ts';

export interface RunAttacksOptions {
  readonly attacks: readonly Attack[];
  readonly isShort: boolean;
  readonly seed: string;
  readonly onResult: (result: AttackResult) => void;
}

export interface AttacksRun {
  readonly results: readonly AttackResult[];
  /** The folder with the logs and databases, if an attack failed. */
  readonly evidence: string | undefined;
}

/**
 * Runs the attacks sequentially. It stops everything that it starts and removes everything that it writes, except the
 * evidence of a failure.
 *
 * @param signal Ends the run: the promise rejects with the signal's reason.
 */
export async function runAttacks(options: RunAttacksOptions, signal: AbortSignal): Promise<AttacksRun> {
  const folder = await makeTemporaryFolder('hostile-');
  const main = (service: string) => import.meta.resolve(`@acme/${service}/main`);
  const compileCache = join(folder, 'compiled');
  for (const service of ['orders', 'inventory'])
    await fillCompileCache(fileURLToPath(main(service)), compileCache);
  const results: AttackResult[] = [];
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  signal.addEventListener('abort', () => ended.reject(signal.reason), { once: true });
  try {
    await using cluster = await startCluster({ main, folder, compileCache, environment: imageEnvironment });
    await warmUp(cluster);
    // The attacked pair is one replica of each service.
    for (const other of cluster.orders.slice(1)) await other.kill();
    for (const attack of options.attacks) {
      const result = await Promise.race([attempt(attack, { ...options, cluster }), ended.promise]);
      results.push(result);
      options.onResult(result);
    }
  } finally {
    const isFailed = results.some(({ failures }) => failures.length > 0);
    if (!isFailed || signal.aborted) await rm(folder, { recursive: true, force: true });
  }
  return { results, evidence: results.some(({ failures }) => failures.length > 0) ? folder : undefined };
}

/** Runs an attack. An attack that cannot be measured is a failure, and the next one runs all the same. */
async function attempt(
  attack: Attack,
  options: Omit<Parameters<typeof runAttack>[0], 'attack'>,
): Promise<AttackResult> {
  return runAttack({ ...options, attack }).catch((error) => ({
    attack,
    figures: undefined,
    failures: [`it could not be measured: ${error instanceof Error ? error.message : error}`],
    notes: [],
    tookMs: 0,
  }));
}
