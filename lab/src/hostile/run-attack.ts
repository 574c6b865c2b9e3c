import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { Replica } from '../cluster/replica.ts';
import { type Attack, attackerSubject, scopesOf } from './attack/attack.ts';
import { type BystanderFigures, defaultLimits, exceeded, type Figures, releaseMs } from './attack/limits.ts';
import type { AttackTask } from './attacker.ts';
import type { BystanderTask } from './bystander/bystander.ts';
import { type Child, startChild } from './child.ts';
import { brokenInvariants, startFreshReplica } from './fresh-replica.ts';
import { watchLog } from './log-watch.ts';
import { memoryAfter, memoryMiB, watchMemory } from './memory.ts';

export interface AttackResult {
  readonly attack: Attack;
  /** Undefined if the attack could not be measured. */
  readonly figures: Figures | undefined;
  /** Every limit that was exceeded and every expectation that was not met, a line each. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  readonly tookMs: number;
}

export interface RunAttackOptions {
  readonly attack: Attack;
  readonly cluster: Cluster;
  readonly isShort: boolean;
  readonly seed: string;
}

const attackTimeoutMs = 180_000;
const readyTimeoutMs = 120_000;
const attackerNiceness = 10;
const newcomerCount = 200;
/** With a bystander slower than this before the attack, the machine is too busy for a comparison. */
const calmLimitMs = 200;
/** Time from the end of the attack to the kill of its process, in which the replica serves queued requests. */
const drainMs = 1000;

/** Runs one attack against a replica that has just been started, beside a bystander. */
export async function runAttack({ attack, cluster, isShort, seed }: RunAttackOptions): Promise<AttackResult> {
  const startMs = performance.now();
  const service = attack.service ?? 'orders';
  const [replica] = cluster[service];
  if (!replica) throw new Error(`the cluster has no replica of ${service}`);
  const limits = { ...defaultLimits, ...attack.limits };
  const unmet: Record<string, number> = {};
  const notes: string[] = [];
  // These processes start while the replica restarts.
  await using bystander = startChild('./bystander/bystander.ts');
  await using attacker = startChild('./attacker.ts', {
    niceness: attackerNiceness,
    onReport: ({ kind, text }) => {
      if (kind === 'unmet') unmet[String(text)] = (unmet[String(text)] ?? 0) + 1;
      if (kind === 'note') notes.push(String(text));
    },
  });
  await startFreshReplica(cluster, replica);
  bystander.send(await bystanderTask(cluster, service, replica));
  const { calmP99Ms } = await bystander.reported('ready', readyTimeoutMs);
  if (Number(calmP99Ms) > calmLimitMs)
    notes.push(
      `the machine is busy: the bystander's p99 was ${Math.round(Number(calmP99Ms))} ms before the attack`,
    );

  const task: AttackTask = {
    name: attack.name,
    port: replica.port,
    webPort: replica.webPort,
    ports: { orders: cluster.orders[0]?.port ?? 0, inventory: cluster.inventory[0]?.port ?? 0 },
    isShort,
    seed,
    canary: `canary-${randomUUID()}`,
    token: await cluster.token(attackerSubject, scopesOf[service]),
    prepared: (await attack.prepare?.({ cluster, replica, isShort })) ?? [],
  };
  const log = await watchLog(join(cluster.folder, 'logs', `${replica.name}.log`));
  const { pid } = replica;
  const figures = await measure(pid ?? 0, limits.keptGrowthMiB, bystander, async () => {
    attacker.send(task);
    await attacker.reported('finished', attackTimeoutMs);
    await sleep(drainMs);
    await attacker[Symbol.asyncDispose]();
    return log.sizeBytes();
  });
  const failures = [
    ...(replica.pid === pid ? [] : [`${replica.name} ended`]),
    ...Object.entries(unmet).map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`)),
    ...((await log.contains(task.canary)) ? ["the log holds the attacker's canary"] : []),
    ...exceeded(figures, limits),
    ...(await brokenInvariants(cluster)),
  ];
  return { attack, figures, failures, notes, tookMs: performance.now() - startMs };
}

async function bystanderTask(
  cluster: Cluster,
  service: 'orders' | 'inventory',
  { port }: Replica,
): Promise<BystanderTask> {
  const newcomers = Array.from({ length: newcomerCount }, (_, index) =>
    cluster.token(`newcomer-${index}`, scopesOf[service]),
  );
  return {
    service,
    port,
    token: await cluster.token('bystander', scopesOf[service]),
    newcomers: await Promise.all(newcomers),
  };
}

/**
 * Measures the replica and the bystander during an attack and until the replica has released its memory.
 *
 * @param attack Runs the attack. Resolves with the number of logged bytes.
 */
async function measure(
  pid: number,
  keptGrowthMiB: number,
  bystander: Child,
  attack: () => Promise<number>,
): Promise<Figures> {
  const idleMiB = await memoryMiB(pid, 'VmRSS');
  const memory = await watchMemory(pid);
  bystander.send({ kind: 'begin' });
  const startMs = performance.now();
  const logBytes = await attack();
  const attackMs = performance.now() - startMs;
  const keptMiB = await memoryAfter(pid, idleMiB + keptGrowthMiB, releaseMs);
  bystander.send({ kind: 'finish' });
  const report = await bystander.reported('figures', readyTimeoutMs);
  await memory.stop();
  const figures = report.figures as BystanderFigures;
  return { idleMiB, peakMiB: memory.peakMiB, keptMiB, logBytes, attackMs, bystander: figures };
}
