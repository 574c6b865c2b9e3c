import { parseArgs } from 'node:util';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import { type ResumingWatchOptions, resumingWatch } from '@acme/rpc/client/resuming-watch';
import { codeName, RpcError } from '@acme/rpc/errors';
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { fail } from './fail.ts';
import { defaultDataFolder } from './paths.ts';
import { findRunningPair } from './running-pair.ts';

const usage = `usage: npm run watch -- orders [--sub alice] [--customer NAME] [--from TOKEN] [--data FOLDER]
       npm run watch -- stock [--sku SKU]… [--from TOKEN] [--data FOLDER]`;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sub: { type: 'string', default: 'alice' },
      customer: { type: 'string', default: '' },
      sku: { type: 'string', multiple: true, default: [] },
      from: { type: 'string', default: '' },
      data: { type: 'string', default: defaultDataFolder },
    },
  });
  const [what] = positionals;
  if (what !== 'orders' && what !== 'stock') fail(usage);
  const pair = (await findRunningPair(values.data)) ?? fail('no pair is running: npm start');
  if (what === 'orders') {
    const scopes = ['orders:read', ...(values.customer ? ['orders:read:any'] : [])];
    // A new token for each time the watch resumes: it may go on for longer than one is good for.
    const token = () => pair.token(values.sub, scopes);
    using client = createClient(OrderService, { target: pair.ordersTarget, token });
    const request = { customerId: values.customer, resumeToken: values.from };
    await follow(
      (options) => resumingWatch(client.watchOrders, request, options),
      ({ order }) => order && orderLine(order),
    );
  } else {
    const token = () => pair.token(values.sub, ['inventory:read']);
    using client = createClient(InventoryService, { target: pair.inventoryTarget, token });
    const request = { skus: values.sku, resumeToken: values.from };
    await follow(
      (options) => resumingWatch(client.watchStock, request, options),
      ({ stock }) => stock && stockLine(stock),
    );
  }
} catch (error) {
  fail(explained(error));
}

/** Shows a line a change until Ctrl-C, and then how to go on. */
async function follow<Response extends { resumeToken: string }>(
  watch: (options: ResumingWatchOptions) => AsyncIterable<Response>,
  lineOf: (response: Response) => string | undefined,
): Promise<void> {
  let last: string | undefined;
  let isInterrupted = false;
  const onInterrupted = (error: unknown) => {
    if (!isInterrupted) process.stderr.write(`${explained(error)}; it will be resumed\n`);
    isInterrupted = true;
  };
  const onRestart = (error: unknown) => say(`${explained(error)}; this watches from now on`);
  try {
    for await (const response of watch({ signal: stop.signal, onInterrupted, onRestart })) {
      isInterrupted = false;
      const line = lineOf(response);
      if (line !== undefined) say(line);
      else if (last === undefined) say('watching; Ctrl-C ends it');
      // A heartbeat.
      else if (process.stdout.isTTY) process.stdout.write('\x1b[2m·\x1b[0m\r');
      last = response.resumeToken;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  if (last !== undefined) say(`to go on from here: --from=${last}`);
}

function orderLine({ updateTime, id, customerId, state, rejectReason, lines }: Order): string {
  const what = lines.slice(0, 3).map(({ sku, quantity }) => `${quantity} × ${sku}`);
  const more = lines.length > 3 ? [`and ${lines.length - 3} more`] : [];
  const [name] = Object.entries(Order_State).find(([, number]) => number === state) ?? [String(state)];
  return [timeOf(updateTime), id, name.padEnd(9), customerId, [...what, ...more].join(', '), rejectReason]
    .filter((part) => part !== '')
    .join('  ');
}

function stockLine({ updateTime, sku, onHand, reserved, available, title }: Stock): string {
  return [
    timeOf(updateTime),
    sku.padEnd(12),
    `${available} available (${onHand} on hand, ${reserved} reserved)`,
    title,
  ].join('  ');
}

function timeOf(time: Timestamp | undefined): string {
  return time ? timestampDate(time).toISOString().slice(11, 23) : '';
}

function explained(error: unknown): unknown {
  return error instanceof RpcError ? `${codeName(error.code)}: ${error.message}` : error;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
