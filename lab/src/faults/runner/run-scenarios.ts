import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Rig, type RigOptions, startRig } from '../../cluster/cluster.ts';
import { warmUp } from '../../cluster/warm-up.ts';
import { fillCompileCache } from '../../pair/compile-cache.ts';
import type { RigNeeds, Row } from '../scenarios/scenario.ts';
import { type RowResult, runRow } from './run-scenario.ts';
import { mountDisk } from './small-disk.ts';

export interface RunRowsOptions {
  readonly rows: readonly Row[];
  readonly seed: string;
  readonly isShort: boolean;
  /** Rounds of every row, in the place of its own number. */
  readonly rounds: number | undefined;
  /** Where the services are. */
  readonly main: RigOptions['main'];
  /** Rows that run at a time, each on a rig of its own: most of them wait most of the time. */
  readonly lanes: number;
  readonly onRound: (row: Row, done: number, rounds: number) => void;
  readonly onResult: (result: RowResult) => void;
}

export interface RowsRun {
  readonly results: readonly RowResult[];
  /** Where the evidence of the rows that failed is kept; undefined when none did. */
  readonly evidence: string | undefined;
}

/**
 * Runs the rows. What it starts it stops, and what it writes it removes, but for the rig of a row that failed: its
 * folder is kept, with the history, the logs and the database of that row.
 *
 * @param signal Ends the run: everything is stopped and removed, and the promise rejects with the signal's reason.
 */
export async function runRows(options: RunRowsOptions, signal: AbortSignal): Promise<RowsRun> {
  const folder = await mkdtemp(join(tmpdir(), 'faults-'));
  // When root runs this, the database does as somebody else, who must get through.
  await chmod(folder, 0o755);
  const compileCache = join(folder, 'compiled');
  for (const service of ['orders', 'inventory'] as const)
    await fillCompileCache(fileURLToPath(options.main(service)), compileCache);
  const results: RowResult[] = [];
  // Those that share a rig one after the other: starting one takes seconds.
  const waiting = options.rows.toSorted((a, b) => needsOf(a).length - needsOf(b).length)[Symbol.iterator]();
  const lane = async () => {
    await using rigs = openRigs({ folder, compileCache, main: options.main });
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const onAbort = () => ended.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    for (const row of waiting) {
      const result = await Promise.race([runOn(rigs, row, options), ended.promise]);
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

export function hasFailed({ violations, unmet }: RowResult): boolean {
  return violations.length > 0 || unmet.length > 0;
}

async function runOn(rigs: Rigs, row: Row, options: RunRowsOptions): Promise<RowResult> {
  const { seed, isShort } = options;
  const rounds = options.rounds ?? (isShort ? row.rounds.short : row.rounds.long);
  const onRound = (done: number) => options.onRound(row, done, rounds);
  const opened = await rigs.open(row);
  if (typeof opened === 'string') return notRun(row, opened);
  const result = await runRow({ row, rig: opened, rounds, seed, isShort, onRound });
  if (hasFailed(result)) {
    await keepEvidence(opened, result);
    await rigs.close();
  }
  return result;
}

async function keepEvidence({ folder }: Rig, { row, history, violations, unmet }: RowResult): Promise<void> {
  const lines = history.map((call) => JSON.stringify(call));
  await writeFile(join(folder, `history-${row.name}.ndjson`), `${lines.join('\n')}\n`);
  await writeFile(join(folder, `failures-${row.name}.txt`), `${[...violations, ...unmet].join('\n')}\n`);
}

function notRun(row: Row, reason: string): RowResult {
  const nothing = { rounds: 0, orders: 0, unknown: 0, lost: 0, settleMs: 0 };
  return { row, ...nothing, violations: [], unmet: [], notes: [], measured: [], history: [], notRun: reason };
}

interface Rigs extends AsyncDisposable {
  /** The rig that a row needs, or why there is none. */
  open(row: Row): Promise<Rig | string>;
  /** Stops it, and keeps its folder. */
  close(): Promise<void>;
}

/** The same for rows that can share a rig. */
function needsOf({ rig = {} }: Row): string {
  return JSON.stringify(rig);
}

/** The rig of a lane: one at a time, which stays up for the next row if that needs the same. */
function openRigs(options: Pick<RigOptions, 'folder' | 'main' | 'compileCache'>): Rigs {
  let current: { rig: Rig; needs: string; started: AsyncDisposableStack } | undefined;
  const start = async (needs: RigNeeds) => {
    await using starting = new AsyncDisposableStack();
    const rigFolder = await mkdtemp(join(options.folder, 'rig-'));
    await chmod(rigFolder, 0o755);
    if (needs.diskMiB) {
      const disk = await mountDisk(join(rigFolder, 'postgres'), needs.diskMiB);
      if (typeof disk === 'string') return disk;
      starting.use(disk);
    }
    const nodeOptions = needs.preload ? `--import=${needs.preload}` : '';
    const { inventoryReplicas = 1 } = needs;
    const rig = starting.use(
      await startRig({ ...options, folder: rigFolder, inventoryReplicas, nodeOptions }),
    );
    await warmUp(rig);
    return { rig, started: starting.move() };
  };
  const stop = async () => {
    const { started } = current ?? {};
    current = undefined;
    await started?.disposeAsync();
  };
  return {
    open: async (row) => {
      const needs = needsOf(row);
      if (current?.needs === needs) return current.rig;
      await stop();
      const opened = await start(row.rig ?? {});
      if (typeof opened === 'string') return opened;
      current = { ...opened, needs };
      return opened.rig;
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  };
}
