import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settledErrors, stockErrors, unsettledOrders } from '../faults/invariants.ts';
import type { Replica } from '../faults/replica.ts';
import { emptyBooks, type Rig, type Service } from '../faults/rig.ts';
import { stockShelves } from '../faults/shelves.ts';
import { untilSettled } from '../faults/until-settled.ts';
import { type Attack, attackerSubject, type Stage, scopesOf } from './attack.ts';
import type { AttackOrder } from './attacker.ts';
import type { BystanderOrder } from './bystander.ts';
import { bystanderSku } from './bystander-calls.ts';
import { startChild } from './child.ts';
import { type BystanderFigures, defaultLimits, exceeded, type Figures, releaseMs } from './limits.ts';
import { memoryMiB, sizeOf, watchMemory } from './memory.ts';

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
const readyTimeoutMs = 60_000;
const attackerNiceness = 10;
const newcomerCount = 200;
/** Broken invariants that are shown. */
const maxInvariants = 5;
/** Time between the attack's last act and the end of the measurement: what is still queued is served meanwhile. */
const afterMs = 1000;

/** Runs one attack against a replica that has just been started, beside a bystander. */
export async function runAttack(options: RunAttackOptions): Promise<AttackResult> {
  const { attack, rig, isShort, seed } = options;
  const beginMs = performance.now();
  const service = attack.service ?? 'orders';
  const replica = rig[service][0];
  if (!replica) throw new Error(`there is a replica of ${service}`);
  const unmet: Record<string, number> = {};
  const failures: string[] = [];
  const notes: string[] = [];
  const stage: Stage = { rig, replica, isShort, sign: signWith(rig) };
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
  const pid = replica.pid ?? 0;
  const token = await stage.sign(service, 'bystander', scopesOf[service]);
  const newcomers = await Promise.all(
    Array.from({ length: newcomerCount }, (_, index) =>
      stage.sign(service, `newcomer-${index}`, scopesOf[service]),
    ),
  );
  bystander.send({ service, port: replica.port, token, newcomers } satisfies BystanderOrder);
  await bystander.reported('ready', readyTimeoutMs);

  const canary = `canary-${randomUUID()}`;
  const prepared = (await attack.prepare?.(stage)) ?? [];
  const order: AttackOrder = {
    name: attack.name,
    port: replica.port,
    ports: { orders: rig.orders[0]?.port ?? 0, inventory: rig.inventory[0]?.port ?? 0 },
    isShort,
    seed,
    canary,
    token: await stage.sign(service, attackerSubject, scopesOf[service]),
    prepared,
  };
  const logFile = join(rig.folder, 'logs', `${replica.name}.log`);
  const logStart = await sizeOf(logFile);
  const idleMiB = await memoryMiB(pid, 'VmRSS');
  const memory = await watchMemory(pid);
  bystander.send({ kind: 'begin' });
  const startMs = performance.now();
  attacker.send(order);
  await attacker.reported('struck', strikeTimeoutMs).catch((error) => failures.push(error.message));
  await sleep(afterMs);
  await attacker[Symbol.asyncDispose]();
  const attackMs = performance.now() - startMs;
  const logBytes = (await sizeOf(logFile)) - logStart;
  const keptMiB = await memoryAfter(
    pid,
    idleMiB + (attack.limits?.keptGrowthMiB ?? defaultLimits.keptGrowthMiB),
  );
  bystander.send({ kind: 'finish' });
  const { figures } = await bystander.reported('figures', readyTimeoutMs);
  await memory.stop();
  const measured: Figures = {
    idleMiB,
    peakMiB: memory.peakMiB,
    keptMiB,
    logBytes,
    attackMs,
    bystander: figures as BystanderFigures,
  };
  for (const [text, count] of Object.entries(unmet))
    failures.push(count === 1 ? text : `${text} (${count} times)`);
  if (replica.pid !== pid) failures.unshift(`${replica.name} ended`);
  if (await contains(logFile, logStart, canary)) failures.push("the log holds the attacker's canary");
  failures.push(...exceeded(measured, { ...defaultLimits, ...attack.limits }));
  await heal(replica);
  failures.push(...(await brokenInvariants(rig)));
  return { attack, figures: measured, failures, notes, tookMs: performance.now() - beginMs };
}

/** Starts the replica anew on empty books: memory, caches and quotas of the last attack are gone. */
async function startAnew(rig: Rig, replica: Replica): Promise<void> {
  await replica.kill();
  await emptyBooks(rig);
  await replica.start();
  await stockShelves(rig, { [bystanderSku]: 1_000_000 });
}

/** Ends the faults that the attack needed, and starts the replica if the attack has ended it. */
async function heal(replica: Replica): Promise<void> {
  replica.databaseLine.heal();
  if (replica.pid === undefined) await replica.start();
}

function signWith(rig: Rig): Stage['sign'] {
  return (_service: Service, subject, scopes, ttlSeconds) => rig.token(subject, scopes, ttlSeconds);
}

/** Waits until the replica holds no more than this, or the time is over; returns what it holds then. */
async function memoryAfter(pid: number, limitMiB: number): Promise<number> {
  const endMs = performance.now() + releaseMs;
  for (;;) {
    const nowMiB = await memoryMiB(pid, 'VmRSS').catch(() => 0);
    if (nowMiB <= limitMiB || performance.now() > endMs) return nowMiB;
    await sleep(200);
  }
}

async function brokenInvariants(rig: Rig): Promise<string[]> {
  await untilSettled(rig, performance.now());
  return [...(await unsettledOrders(rig)), ...(await stockErrors(rig)), ...(await settledErrors(rig))].slice(
    0,
    maxInvariants,
  );
}

async function contains(file: string, startBytes: number, text: string): Promise<boolean> {
  await using handle = await open(file);
  let tail = '';
  for await (const chunk of handle.createReadStream({ start: startBytes, encoding: 'utf8' })) {
    if ((tail + chunk).includes(text)) return true;
    tail = chunk.slice(-text.length);
  }
  return false;
}
