import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type InventoryAccess, setStock } from '../../harness/stock.ts';
import type { OrderOutcome, OrderTask } from './order-load.ts';
import { skuCount, skuOf } from './popularity.ts';

/** Loads a pair with orders, from a process of its own. */
export interface OrderLoad extends Disposable {
  place(load: Pick<OrderTask, 'callers' | 'perSecond' | 'seconds'>): Promise<OrderOutcome>;
  readonly pid: number;
}

export interface OrderLoadOptions extends InventoryAccess {
  readonly ordersTarget: string;
  readonly hot: OrderTask['hot'];
  readonly customers?: OrderTask['customers'];
}

/** Fills the stock with units that no load uses up, and starts the process. */
export async function startOrderLoad(pair: OrderLoadOptions): Promise<OrderLoad> {
  const { ordersTarget: target, hot, customers } = pair;
  const units = Object.fromEntries(
    Array.from({ length: skuCount }, (_, index) => [skuOf(index + 1), 2_000_000_000] as const),
  );
  await setStock(pair, units);
  const token = await pair.token('bench', ['orders:write', 'orders:write:any']);
  const load = fork(new URL('./order-load.ts', import.meta.url));
  await once(load, 'message');
  return {
    place: async (task) => {
      load.send({ target, token, hot, customers, ...task } satisfies OrderTask);
      const [outcome] = await once(load, 'message');
      return outcome;
    },
    pid: load.pid ?? 0,
    [Symbol.dispose]: () => load.disconnect(),
  };
}
