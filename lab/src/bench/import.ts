import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { type Client, createClient } from '@acme/rpc/client';
import { Code, RpcError, transientCodes } from '@acme/rpc/errors';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { peakMemoryMb } from './load/resident-memory.ts';

/**
 * Measures ImportStock: its throughput, its memory, and how long a reserve waits for a SKU that the import changes.
 * A cancelled import must leave no rows.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- import',
  summary:
    'Measures ImportStock: its throughput, its memory, and how long a reserve waits for a SKU that the import changes.',
  options: {
    rows: integer('N', 'rows of an import', { from: 2, fallback: 1_000_000 }),
    json: text('FILE', 'file for the result'),
  },
});
const { rows } = values;
type Inventory = Client<typeof InventoryService>;

await using folder = await openTemporaryFolder('bench-import-');
await using running = new AsyncDisposableStack();
const pair = running.adopt(
  await startPair({ dataFolder: folder.path, ordersPort: 0, inventoryPort: 0, onStep: say }),
  (each) => each.close(),
);
const token = await pair.token('bench', ['inventory:read', 'inventory:write', 'inventory:reserve']);
const inventory = running.use(
  createClient(InventoryService, { target: pair.inventoryTarget, token: () => token }),
);
const serverPid = pair.services.find(({ name }) => name === 'inventory')?.process.pid ?? 0;

await cancelAtHalf(inventory);
const created = await measured('all new', () => inventory.importStock(items(1000n)));
// All rows change, which is the longest wait for a reserve.
let importing = true;
const reserving = longestReserveMs(inventory, () => importing);
const updated = await measured('all changed', () => inventory.importStock(items(2000n)));
importing = false;
const reserveWaitMs = await reserving;
say(`the longest reserve waited ${reserveWaitMs.toFixed(0)} ms`);
const unchanged = await measured('unchanged', () => inventory.importStock(items(2000n)));

const result = {
  import_rows: rows,
  import_rows_per_second: Math.round(created.rowsPerSecond),
  import_changed_rows_per_second: Math.round(updated.rowsPerSecond),
  import_unchanged_rows_per_second: Math.round(unchanged.rowsPerSecond),
  import_peak_mb: Math.round(Math.max(created.peakMb, updated.peakMb, unchanged.peakMb)),
  import_reserve_wait_ms: Math.round(reserveWaitMs),
};
say(JSON.stringify(result));
if (values.json) await writeFile(values.json, JSON.stringify(result));

function skuOf(index: number): string {
  return `BENCH-${String(index).padStart(9, '0')}`;
}

/** Yields the messages of an import. */
function* items(onHand: bigint) {
  const first = { importId: randomUUID(), itemCount: BigInt(rows) };
  for (let index = 0; index < rows; index++)
    yield {
      ...(index === 0 && first),
      item: { sku: skuOf(index), title: `BENCHMARK ITEM NUMBER ${index}`, onHand },
    };
}

async function measured(name: string, run: () => Promise<{ received: bigint }>) {
  const startMs = performance.now();
  const { result, peakMb } = await peakMemoryMb(serverPid, run);
  const seconds = (performance.now() - startMs) / 1000;
  const { received } = result;
  if (received !== BigInt(rows)) throw new Error(`${received} rows arrived of ${rows}`);
  const rowsPerSecond = rows / seconds;
  say(
    `${name}: ${rows} rows in ${seconds.toFixed(1)} s, ${rowsPerSecond.toFixed(0)} rows/s, ${peakMb.toFixed(0)} MB more`,
  );
  return { rowsPerSecond, peakMb };
}

/** Cancels an import halfway. Throws if any of its rows is kept. */
async function cancelAtHalf(inventory: Inventory): Promise<void> {
  const leaving = new AbortController();
  function* half() {
    let sent = 0;
    for (const item of items(1n)) {
      if (++sent > rows / 2) leaving.abort();
      yield item;
    }
  }
  const outcome = await inventory
    .importStock(half(), { signal: leaving.signal })
    .catch((error: unknown) => error);
  if (!(outcome instanceof RpcError && outcome.code === Code.CANCELLED))
    throw new Error('an import that was cancelled halfway did not end with CANCELLED', { cause: outcome });
  const { stocks } = await inventory.listStock({ skuPrefix: 'BENCH-', pageSize: 1 });
  if (stocks.length > 0) throw new Error('an import that was cancelled halfway left rows');
  say('cancelled halfway: no rows imported');
}

/** Reserves one random SKU after another while `goesOn` returns true. Returns the longest time until OK, in ms. */
async function longestReserveMs(inventory: Inventory, goesOn: () => boolean): Promise<number> {
  let longestMs = 0;
  while (goesOn()) {
    const reservationId = randomUUID();
    const lines = [{ sku: skuOf(Math.floor(Math.random() * rows)), quantity: 1 }];
    const startMs = performance.now();
    for (let answered = false; !answered; )
      answered = await inventory.reserveStock({ reservationId, lines }).then(
        () => true,
        (error: RpcError) => {
          if (!transientCodes.has(error.code)) throw error;
          return false;
        },
      );
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
  return longestMs;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
