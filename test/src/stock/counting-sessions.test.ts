import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { openTestPool } from '@acme/postgres/testing';
import { createClient } from '@acme/rpc/client';
import { policyOf } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { holdLock } from '../support/hold-lock.ts';
import { test as pairTest } from '../support/pair-test.ts';
import { makeServiceEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import type { TestPair } from '../support/start-test-pair.ts';
import { untilStable } from '../support/until-stable.ts';

const test = pairTest.extend('warehouse', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('warehouse', ['inventory:read', 'inventory:write']);
  return inventory;
});

/** Returns the number of counts that wait for a lock in the database. */
async function waitingCounts(pair: TestPair): Promise<bigint | undefined> {
  const { rows } = await pair.inventoryDatabase.query<{ waiting: bigint }>(
    `SELECT count(*) AS waiting FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'inventory counts'`,
  );
  return rows[0]?.waiting;
}

/** Yields a count per SKU, and then keeps the session open. */
async function* openSession(...skus: readonly string[]) {
  for (const sku of skus) yield { sku, counted: 1n };
  await new Promise(() => {});
}

describe('the server ends the session promptly and does not apply the count in progress when the client', () => {
  const leavings = {
    'breaks out of its loop': undefined,
    cancels: new AbortController(),
  };
  test.for(Object.entries(leavings))('%s', async ([name, controller], { pair, warehouse }) => {
    const [first, locked] = [`${name}-1`, `${name}-2`];
    await pair.setStock({ [first]: 5, [locked]: 5 });
    await using lock = await holdLock(
      pair.inventoryDatabase,
      `SELECT FROM stock WHERE sku = '${locked}' FOR UPDATE`,
    );
    let leftMs = 0;
    const count = async () => {
      const session = warehouse.countStock(
        openSession(first, locked),
        controller && { signal: controller.signal },
      );
      for await (const { sku } of session) {
        expect(sku).toBe(first);
        await lock.untilBlocked(1);
        leftMs = performance.now();
        if (!controller) break;
        controller.abort();
      }
    };
    if (controller) expect((await rejectionOf(count())).code).toBe(Code.CANCELLED);
    else await count();
    await expect.poll(() => waitingCounts(pair), { interval: 5, timeout: 4000 }).toBe(0n);
    // The guarantee is 100 ms. The limit here allows for a busy machine, and is below the lock_timeout of 5 s.
    expect(performance.now() - leftMs).toBeLessThan(3000);
    await lock.release();
    const { stock } = await warehouse.getStock({ sku: locked });
    expect(stock?.onHand).toBe(5n);
  });
});

test('the server stops reading from a client that reads no responses, and no response is lost', async ({
  warehouse,
}) => {
  // Long SKUs fill the buffers of the connection quickly. Unknown SKUs are returned as they were sent.
  const longSku = 'x'.repeat(10_000);
  const length = 800;
  let sent = 0;
  function* counts() {
    for (; sent < length; sent++) yield { sku: longSku, counted: BigInt(sent) };
  }
  const responses = warehouse.countStock(counts());
  const first = await responses.next();
  expect(await untilStable(() => sent)).toBeLessThan(length / 2);
  const rest = await Array.fromAsync(responses);
  expect([first.value, ...rest].map((response) => response?.counted)).toEqual(
    Array.from({ length }, (_, index) => BigInt(index)),
  );
});

test('a session lasts at most one hour, and ends at its deadline', async ({ pair, warehouse }) => {
  expect(policyOf(InventoryService.method.countStock)).toMatchObject({
    deadlineMs: 3_600_000,
    maxDeadlineMs: 3_600_000,
  });
  await pair.setStock({ late: 5 });
  const counted: bigint[] = [];
  const count = async () => {
    for await (const response of warehouse.countStock(openSession('late'), { deadlineMs: 1500 }))
      counted.push(response.counted);
  };
  expect((await rejectionOf(count())).code).toBe(Code.DEADLINE_EXCEEDED);
  expect(counted).toEqual([1n]);
});

test('every confirmed count persists when the server is killed', async () => {
  await using environment = await makeServiceEnvironment();
  await using process = startServiceProcess('inventory', environment.variables);
  const token = await environment.keys.sign({ sub: 'warehouse', scope: 'inventory:write' });
  using inventory = createClient(InventoryService, { target: await process.target, token: () => token });
  await using opened = new AsyncDisposableStack();
  const url = environment.variables.DATABASE_URL;
  const database = opened.use(openTestPool({ url, max: 1 }));
  await database.query(`INSERT INTO stock (sku, title, on_hand, update_time) VALUES ('A', '', 0, now())`);
  function* counts() {
    for (let counted = 1n; ; counted++) yield { sku: 'A', counted };
  }
  let confirmed = 0n;
  const count = async () => {
    for await (const { counted, expected } of inventory.countStock(counts())) {
      expect(expected).toBe(confirmed);
      confirmed = counted;
      if (confirmed === 100n) process.signal('SIGKILL');
    }
  };
  expect((await rejectionOf(count())).code).toBe(Code.UNAVAILABLE);
  const { rows } = await database.query<{ on_hand: bigint }>('SELECT on_hand FROM stock');
  expect(rows[0]?.on_hand).toBeGreaterThanOrEqual(confirmed);
});
