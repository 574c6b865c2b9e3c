import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { catalogueSize, skuOf } from '@acme/inventory/development/catalogue';
import { createClient } from '@acme/rpc/client/create-client';
import { resumingWatch } from '@acme/rpc/client/resuming-watch';
import { RpcError } from '@acme/rpc/errors/rpc-error';
import type { Pair } from '../pair/pair.ts';
import { importStock } from '../pair/stock-room.ts';

/** Sold out after some seconds. */
const scarceSku = 'SCARCE';
const scarceUnits = 100;
const unknownSku = 'NOT-IN-THE-CATALOGUE';
const pauseMs = 200;

export interface MixedLoad extends AsyncDisposable {
  /** So many more shoppers who never pause, for some seconds. */
  crowd(shoppers: number, seconds: number): Promise<void>;
}

/**
 * Shoppers who look at articles, order, look at their orders and cancel some, until it is disposed; two watches look on.
 * Errors are what the dashboards are to show: they end nothing.
 */
export async function startMixedLoad(pair: Pair, shoppers: number): Promise<MixedLoad> {
  await importStock(pair, crypto.randomUUID(), new Map([[scarceSku, scarceUnits]]));
  const ordersToken = await pair.token('alice', ['orders:write', 'orders:read']);
  const inventoryToken = await pair.token('alice', ['inventory:read']);
  const orders = createClient(OrderService, { target: pair.ordersTarget, token: () => ordersToken });
  const inventory = createClient(InventoryService, {
    target: pair.inventoryTarget,
    token: () => inventoryToken,
  });
  const ended = new AbortController();
  const { signal } = ended;

  const visit = async () => {
    // Whoever is not shown an article soon orders it nevertheless.
    await tried(inventory.getStock({ sku: anySku() }, { deadlineMs: 300 }));
    if (chance(0.1)) await tried(inventory.listStock({ pageSize: 20 }));
    const lines = [{ sku: anySku(), quantity: 1 + Math.floor(Math.random() * 3) }];
    const order = (await tried(orders.placeOrder({ requestId: crypto.randomUUID(), lines })))?.order;
    if (!order) return;
    if (chance(0.5)) await tried(orders.getOrder({ id: order.id }));
    if (chance(0.1)) await tried(orders.listOrders({ pageSize: 10 }));
    if (chance(0.15)) await tried(orders.cancelOrder({ id: order.id }));
  };
  const shop = async (isOver: () => boolean, longestPauseMs: number) => {
    while (!isOver()) {
      await visit();
      if (longestPauseMs > 0) await sleep(Math.random() * longestPauseMs);
    }
  };
  const follow = async (changes: AsyncIterable<unknown>) => {
    for await (const _change of changes);
  };
  const underWay = [
    tried(follow(resumingWatch(orders.watchOrders, {}, { signal }))),
    tried(follow(resumingWatch(inventory.watchStock, {}, { signal }))),
    ...Array.from({ length: shoppers }, () => shop(() => signal.aborted, pauseMs)),
  ];
  return {
    crowd: async (count, seconds) => {
      const endMs = performance.now() + seconds * 1000;
      await Promise.all(Array.from({ length: count }, () => shop(() => performance.now() > endMs, 0)));
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await Promise.all(underWay);
      orders[Symbol.dispose]();
      inventory[Symbol.dispose]();
    },
  };
}

/** Mostly what there is enough of. */
function anySku(): string {
  if (chance(0.05)) return scarceSku;
  if (chance(0.01)) return unknownSku;
  return skuOf(1 + Math.floor(Math.random() * catalogueSize));
}

function chance(share: number): boolean {
  return Math.random() < share;
}

/** What it comes to; undefined for a call that failed. */
async function tried<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}
