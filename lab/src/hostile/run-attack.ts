import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from '../cluster/cluster.ts';
import type { Replica } from '../cluster/replica.ts';
import { type Attack, attackerSubject, scopesOf } from './attack/attack.ts';
import { type BystanderFigures, defaultLimits, exceeded, type Figures, releaseMs } from './attack/limits.ts';
import type { AttackOrder } from './attacker.ts';
import type { BystanderOrder } from './bystander/bystander.ts';
import { type Child, startChild } from './child.ts';
import { watchLog } from './log-watch.ts';
import { memoryAfter, memoryMiB, watchMemory } from './memory.ts';
import { brokenInvariants, startAnew } from './replica-anew.ts';

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
  readonly rig: Rig;
  readonly isShort: boolean;
  readonly seed: string;
}

const strikeTimeoutMs = 180_000;
const readyTimeoutMs = 120_000;
const attackerNiceness = 10;
const newcomerCount = 200;
/** A bystander that is slower than this before the attack says little of the attack. */
const calmLimitMs = 200;
/** From the attack's last act to the end of its process: what is queued is served meanwhile. */
const afterMs = 1000;

/** Runs one attack against a replica that has just been started, beside a bystander. */
export async function runAttack({ attack, rig, isShort, seed }: RunAttackOptions): Promise<AttackResult> {
  const startMs = performance.now();
  const service = attack.service ?? 'orders';
  const [replica] = rig[service];
  if (!replica) throw new Error(`there is a replica of ${service}`);
  const limits = { ...defaultLimits, ...attack.limits };
  const unmet: Record<string, number> = {};
  const notes: string[] = [];
  // Their processes start while the replica does.
  await using bystander = startChild('./bystander.ts');
  await using attacker = startChild('./attacker.ts', {
    niceness: attackerNiceness,
    onReport: ({ kind, text }) => {
      if (kind === 'unmet') unmet[String(text)] = (unmet[String(text)] ?? 0) + 1;
      if (kind === 'note') notes.push(String(text));
    },
  });
  await startAnew(rig, replica);
  bystander.send(await bystanderOrder(rig, service, replica));
  const { calmP99Ms } = await bystander.reported('ready', readyTimeoutMs);
  if (Number(calmP99Ms) > calmLimitMs)
    notes.push(
      `the machine is busy: the bystander's p99 was ${Math.round(Number(calmP99Ms))} ms before the attack`,
    );

  const order: AttackOrder = {
    name: attack.name,
    port: replica.port,
    ports: { orders: rig.orders[0]?.port ?? 0, inventory: rig.inventory[0]?.port ?? 0 },
    isShort,
    seed,
    canary: `canary-${randomUUID()}`,
    token: await rig.token(attackerSubject, scopesOf[service]),
    prepared: (await attack.prepare?.({ rig, replica, isShort })) ?? [],
  };
  const log = await watchLog(join(rig.folder, 'logs', `${replica.name}.log`));
  const { pid } = replica;
  const figures = await measure(pid ?? 0, limits.keptGrowthMiB, bystander, async () => {
    attacker.send(order);
    await attacker.reported('struck', strikeTimeoutMs);
    await sleep(afterMs);
    await attacker[Symbol.asyncDispose]();
    return log.sizeBytes();
  });
  const failures = [
    ...(replica.pid === pid ? [] : [`${replica.name} ended`]),
    ...Object.entries(unmet).map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`)),
    ...((await log.contains(order.canary)) ? ["the log holds the attacker's canary"] : []),
    ...exceeded(figures, limits),
    ...(await brokenInvariants(rig)),
  ];
  return { attack, figures, failures, notes, tookMs: performance.now() - startMs };
}

async function bystanderOrder(
  rig: Rig,
  service: 'orders' | 'inventory',
  { port }: Replica,
): Promise<BystanderOrder> {
  const newcomers = Array.from({ length: newcomerCount }, (_, index) =>
    rig.token(`newcomer-${index}`, scopesOf[service]),
  );
  return {
    service,
    port,
    token: await rig.token('bystander', scopesOf[service]),
    newcomers: await Promise.all(newcomers),
  };
}

/** Measures a replica and the bystander during an attack, and until the replica has released its memory. */
async function measure(
  pid: number,
  keptGrowthMiB: number,
  bystander: Child,
  strike: () => Promise<number>,
): Promise<Figures> {
  const idleMiB = await memoryMiB(pid, 'VmRSS');
  const memory = await watchMemory(pid);
  bystander.send({ kind: 'begin' });
  const startMs = performance.now();
  const logBytes = await strike();
  const attackMs = performance.now() - startMs;
  const keptMiB = await memoryAfter(pid, idleMiB + keptGrowthMiB, releaseMs);
  bystander.send({ kind: 'finish' });
  const report = await bystander.reported('figures', readyTimeoutMs);
  await memory.stop();
  const figures = report.figures as BystanderFigures;
  return { idleMiB, peakMiB: memory.peakMiB, keptMiB, logBytes, attackMs, bystander: figures };
}
