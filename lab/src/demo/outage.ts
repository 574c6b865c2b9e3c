import { once } from 'node:events';
import type { Books } from '../harness/invariants.ts';
import { untilSettled } from '../harness/until-settled.ts';
import type { Pair } from '../pair/pair.ts';
import type { Night } from './night.ts';

/** How long it all took. */
export interface Outage {
  /** Of inventory's SIGKILL. */
  readonly killTime: Date;
  /** Nobody started it again for so long. */
  readonly awayMs: number;
  /** From when it answered again until nothing was owed of what had waited for it. */
  readonly settleMs: number;
}

export interface OutageOptions {
  readonly pair: Pair;
  readonly books: Books;
  readonly night: Night;
  /** Waits for a second of the night. */
  readonly until: (second: number) => Promise<void>;
  readonly onChange: (happening: string) => void;
  readonly signal: AbortSignal;
}

/** Kills inventory, starts it again when the night says so, and waits until it has caught up. */
export async function goThroughOutage(options: OutageOptions): Promise<Outage> {
  const { pair, books, night, until, onChange, signal } = options;
  await until(night.killSecond);
  onChange('inventory killed');
  const killTime = new Date();
  const killedMs = performance.now();
  await killInventory(pair);
  await until(night.startSecond);
  onChange('inventory starts');
  const awayMs = performance.now() - killedMs;
  await pair.restart('inventory');
  onChange('settling');
  const settleMs = await untilSettled(books, performance.now(), { backlogOnly: true, signal });
  return { killTime, awayMs, settleMs };
}

async function killInventory({ services }: Pair): Promise<void> {
  const inventory = services.find(({ name }) => name === 'inventory')?.process;
  if (!inventory) throw new Error('inventory does not run');
  const exited = once(inventory, 'exit');
  inventory.kill('SIGKILL');
  await exited;
}

/** From inventory's SIGKILL until an order was confirmed that was placed after it; undefined when none was. */
export async function firstConfirmedMs(
  { ordersDatabase }: Books,
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
