import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { readStock } from '@acme/lab/harness/stock';
import type { PairAccess } from '@acme/lab/pair/pair';
import { createClient } from '@acme/rpc/client';

const everyMs = 10_000;
/** Units available below which an item is restocked, */
const low = 100n;
/** and units available after it. */
const full = 1000n;

/** Restocks what is sold out, so that a night of orders does not end in rejections. */
export function openWarehouse(access: PairAccess, isOpen: () => boolean): AsyncDisposable {
  const ended = new AbortController();
  const work = async () => {
    while (!ended.signal.aborted) {
      await sleep(everyMs, undefined, { signal: ended.signal }).catch(() => {});
      // Inventory may be down. The next round tries again.
      if (isOpen() && !ended.signal.aborted) await restock(access).catch(() => {});
    }
  };
  const working = work();
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await working;
    },
  };
}

async function restock(access: PairAccess): Promise<void> {
  const stocks = await readStock(access);
  const short = [...stocks.values()].filter(({ onHand, reserved }) => onHand - reserved < low);
  if (short.length === 0) return;
  const { inventoryTarget: target, credentials } = access;
  const token = await access.token('warehouse', ['inventory:write']);
  using inventory = createClient(InventoryService, { target, credentials, token: () => token });
  await inventory.importStock(itemsOf(short));
}

function* itemsOf(stocks: readonly Stock[]) {
  const importId = randomUUID();
  const itemCount = BigInt(stocks.length);
  for (const { sku, title, reserved } of stocks)
    yield { importId, itemCount, item: { sku, title, onHand: reserved + full } };
}
