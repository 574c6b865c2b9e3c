import { once } from 'node:events';
import type { Databases } from '../harness/invariants.ts';
import { untilSettled } from '../harness/until-settled.ts';
import type { Pair } from '../pair/pair.ts';
import type { Night } from './night.ts';

/** The outage of inventory, as it was measured. */
export interface Outage {
  /** Time of the SIGKILL. */
  readonly killTime: Date;
  /** Time from the SIGKILL until the process was started again. */
  readonly downMs: number;
  /** Time from inventory's return until all orders placed before it were settled. */
  readonly settleMs: number;
}

export interface OutageOptions {
  readonly pair: Pair;
  readonly databases: Databases;
  readonly night: Night;
  /** Waits until a second of the night. */
  readonly until: (second: number) => Promise<void>;
  readonly onPhase: (phase: string) => void;
  readonly signal: AbortSignal;
}

/** Kills the inventory process, restarts it as planned, and waits until the backlog is settled. */
export async function runOutage(options: OutageOptions): Promise<Outage> {
  const { pair, databases, night, until, onPhase, signal } = options;
  await until(night.killSecond);
  onPhase('inventory killed');
  const killTime = new Date();
  const killedMs = performance.now();
  await killInventory(pair);
  await until(night.startSecond);
  onPhase('inventory starts');
  const downMs = performance.now() - killedMs;
  await pair.restart('inventory');
  onPhase('settling');
  const settleMs = await untilSettled(databases, performance.now(), { backlogOnly: true, signal });
  return { killTime, downMs, settleMs };
}

async function killInventory({ services }: Pair): Promise<void> {
  const inventory = services.find(({ name }) => name === 'inventory')?.process;
  if (!inventory) throw new Error('inventory is not running');
  const exited = once(inventory, 'exit');
  inventory.kill('SIGKILL');
  await exited;
}

/** Returns the time from the SIGKILL until the first confirmation of an order placed after it. Undefined if there is none. */
export async function firstConfirmedMs(
  { ordersDatabase }: Databases,
  { killTime }: Outage,
): Promise<number | undefined> {
  const { rows } = await ordersDatabase.query<{ first: Date | null }>(
    `SELECT min(event_time) AS first FROM order_events AS event JOIN orders ON orders.id = order_id
     WHERE event.state = 'CONFIRMED' AND create_time > $1`,
    [killTime],
  );
  const first = rows[0]?.first;
  return first ? first.getTime() - killTime.getTime() : undefined;
}
