import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, type ClusterOptions, startCluster } from '../../cluster/cluster.ts';
import { fillCompileCache } from '../../cluster/compile-cache.ts';
import { warmUp } from '../../cluster/warm-up.ts';
import { makeTemporaryFolder } from '../../harness/temporary-folder.ts';
import type { ClusterNeeds, Scenario } from '../scenarios/scenario.ts';
import { runScenario, type ScenarioResult } from './run-scenario.ts';
import { mountDisk } from './small-disk.ts';

export interface RunScenariosOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: string;
  readonly isShort: boolean;
  /** Overrides the number of rounds of every scenario. */
  readonly rounds: number | undefined;
  /** Whether PgBouncer is between the services and their databases. */
  readonly isPooled: boolean;
  readonly main: ClusterOptions['main'];
  /** Number of scenarios that run concurrently, each on its own cluster. */
  readonly lanes: number;
  readonly onRound: (scenario: Scenario, done: number, rounds: number) => void;
  readonly onResult: (result: ScenarioResult) => void;
}

export interface ScenariosRun {
  readonly results: readonly ScenarioResult[];
  /** Folder with the evidence of the failed scenarios. Undefined if none failed. */
  readonly evidence: string | undefined;
}

/**
 * Runs the scenarios. It stops everything that it starts and removes everything that it writes, except the folder of a
 * failed scenario's cluster, with the history, the logs and the database.
 *
 * @param signal Ends the run: everything is stopped and removed, and the promise rejects with the signal's reason.
 */
export async function runScenarios(options: RunScenariosOptions, signal: AbortSignal): Promise<ScenariosRun> {
  const { main, isPooled } = options;
  const folder = await makeTemporaryFolder('faults-');
  const compileCache = join(folder, 'compiled');
  for (const service of ['orders', 'inventory'] as const)
    await fillCompileCache(fileURLToPath(main(service)), compileCache);
  const results: ScenarioResult[] = [];
  // Scenarios that share a cluster run one after the other, because its start takes seconds.
  const waiting = options.scenarios
    .toSorted((a, b) => needsOf(a).length - needsOf(b).length)
    [Symbol.iterator]();
  const lane = async () => {
    await using clusters = openClusters({ folder, compileCache, main, isPooled });
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const onAbort = () => ended.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    for (const scenario of waiting) {
      const result = await Promise.race([runOn(clusters, scenario, options), ended.promise]);
      results.push(result);
      options.onResult(result);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: options.lanes }, lane));
  const failed = lanes.find((each) => each.status === 'rejected');
  const evidence = results.some(hasFailed) && !signal.aborted ? folder : undefined;
  if (!evidence) await rm(folder, { recursive: true, force: true });
  if (failed) throw failed.reason;
  return { results, evidence };
}

export function hasFailed({ violations, unmet }: ScenarioResult): boolean {
  return violations.length > 0 || unmet.length > 0;
}

async function runOn(
  clusters: Clusters,
  scenario: Scenario,
  options: RunScenariosOptions,
): Promise<ScenarioResult> {
  const { seed, isShort } = options;
  const rounds = options.rounds ?? (isShort ? scenario.rounds.short : scenario.rounds.long);
  const onRound = (done: number) => options.onRound(scenario, done, rounds);
  const opened = await clusters.open(scenario);
  if (typeof opened === 'string') return notRun(scenario, opened);
  const result = await runScenario({ scenario, cluster: opened, rounds, seed, isShort, onRound });
  if (hasFailed(result)) {
    await keepEvidence(opened, result);
    await clusters.close();
  }
  return result;
}

async function keepEvidence(
  { folder }: Cluster,
  { scenario, history, violations, unmet }: ScenarioResult,
): Promise<void> {
  const lines = history.map((call) => JSON.stringify(call));
  await writeFile(join(folder, `history-${scenario.name}.ndjson`), `${lines.join('\n')}\n`);
  await writeFile(join(folder, `failures-${scenario.name}.txt`), `${[...violations, ...unmet].join('\n')}\n`);
}

function notRun(scenario: Scenario, reason: string): ScenarioResult {
  const nothing = { rounds: 0, orders: 0, unknown: 0, lost: 0, settleMs: 0 };
  return {
    scenario,
    ...nothing,
    violations: [],
    unmet: [],
    notes: [],
    measured: [],
    history: [],
    notRun: reason,
  };
}

interface Clusters extends AsyncDisposable {
  /** Returns the cluster for a scenario, or the reason why there is none. */
  open(scenario: Scenario): Promise<Cluster | string>;
  /** Stops the cluster and keeps its folder. */
  close(): Promise<void>;
}

/** Returns a key that is equal for scenarios that can share a cluster. */
function needsOf({ cluster = {} }: Scenario): string {
  return JSON.stringify(cluster);
}

/** Starts the clusters of a lane, one at a time. A cluster is kept for the next scenario if that can share it. */
function openClusters(
  options: Pick<ClusterOptions, 'folder' | 'main' | 'compileCache' | 'isPooled'>,
): Clusters {
  let current: { cluster: Cluster; needs: string; started: AsyncDisposableStack } | undefined;
  const start = async (needs: ClusterNeeds) => {
    await using starting = new AsyncDisposableStack();
    const clusterFolder = await makeTemporaryFolder('cluster-', options.folder);
    if (needs.diskMiB) {
      const disk = await mountDisk(join(clusterFolder, 'postgres'), needs.diskMiB);
      if (typeof disk === 'string') return disk;
      starting.use(disk);
    }
    const nodeOptions = needs.preload ? `--import=${needs.preload}` : '';
    const { inventoryReplicas = 1, standbys = false } = needs;
    const cluster = starting.use(
      await startCluster({ ...options, folder: clusterFolder, inventoryReplicas, standbys, nodeOptions }),
    );
    await warmUp(cluster);
    return { cluster, started: starting.move() };
  };
  const stop = async () => {
    const { started } = current ?? {};
    current = undefined;
    await started?.disposeAsync();
  };
  return {
    open: async (scenario) => {
      const needs = needsOf(scenario);
      if (current?.needs === needs) return current.cluster;
      await stop();
      const opened = await start(scenario.cluster ?? {});
      if (typeof opened === 'string') return opened;
      current = { ...opened, needs };
      return opened.cluster;
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  };
}
