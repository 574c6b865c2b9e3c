import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client';
import type { BaseBackup } from '../cluster/base-backup.ts';
import { type Reconciliation, runReconcile } from '../cluster/run-reconcile.ts';
import { checkDatabases } from '../harness/check-databases.ts';
import { type Customers, openCustomers, untilDefinite } from '../harness/customers.ts';
import { acknowledgementsOf, type Call } from '../harness/history.ts';
import { acknowledgementErrors, lostOrders } from '../harness/invariants.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { setStock } from '../harness/stock.ts';
import { customerIdsOf, startTraffic } from '../harness/traffic.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { type FollowedFeed, followFeed } from './feed-token.ts';
import type { RestorablePair, Service } from './restorable-pair.ts';

/** Two SKUs with too little stock, so that an order whose reservation is lost may find none. */
const stock = { a: 1_000_000, b: 1_000_000, c: 1_000_000, scarce: 400, rare: 40 };
const pace = { shoppers: 6, pauseMs: 25 };
const trafficMs = 1500;

/**
 * Backs up the database of `older`, then that of the other service, under load. Kills both while customers go on, restores
 * both, lets customers in, and reconciles. Returns lines about what was lost.
 *
 * @throws Error with a line for each expectation that is not met.
 */
export async function drillRestore(pair: RestorablePair, older: Service): Promise<readonly string[]> {
  const newer = older === 'orders' ? 'inventory' : 'orders';
  const random = seededRandom(`restore ${older}`);
  const history: Call[] = [];
  const scopes = ['orders:read:any', 'orders:write:any', 'orders:read', 'orders:write'];
  using customers = openCustomers({
    target: pair.ordersTarget,
    token: await pair.token('shop', scopes),
    onCall: (call) => history.push(call),
  });
  await setStock(pair, stock);
  const traffic = startTraffic({
    customers,
    shop: 'before',
    random: random.fork('before'),
    skus: Object.keys(stock),
    ...pace,
  });
  await using feeds = await followFeeds(pair, customers);
  await sleep(trafficMs);
  const first = await pair[older].backUp();
  await sleep(trafficMs);
  const second = await pair[newer].backUp();
  // Events that neither backup has.
  await sleep(trafficMs);
  await Promise.all(feeds.all.map(({ next }) => next()));
  await Promise.all([pair.orders.kill(), pair.inventory.kill()]);
  await traffic.stop({ giveUpAfterMs: 0 });
  const acknowledged = history.splice(0);
  await pair[older].restore(first);
  await pair[newer].restore(second);

  const unmet: string[] = [];
  const expect = (holds: boolean, text: string) => void (holds || unmet.push(text));
  for (const { name, resume } of feeds.all) {
    const reason = await resume();
    expect(reason === 'RESUME_TOKEN_AHEAD', `the ${name} resumed with: ${reason ?? 'silence'}`);
  }
  const further = startTraffic({
    customers,
    shop: 'after',
    random: random.fork('after'),
    skus: Object.keys(stock),
    ...pace,
  });
  const mended = await mendAll(pair, customers, expect);
  await further.stop({ giveUpAfterMs: 5000 });
  await untilSettled(pair, performance.now());
  const last = await runReconcile(pair.orders.replica);
  expect(last.exitCode === 0, `after all, ${last.lines.join('; ')}`);
  for (const error of await checkDatabases(pair)) unmet.push(error);
  const losses = await lossesOf(pair, acknowledged, older === 'orders' ? first : second, expect);
  if (unmet.length > 0) throw new Error(unmet.join('\n'));
  return [
    `backups ${((second.endMs - first.endMs) / 1000).toFixed(1)} s apart, that of ${older} first`,
    losses,
    ...mended,
  ];
}

interface NamedFeed extends FollowedFeed {
  readonly name: string;
}

/** Watches the orders of a customer, and all stock. */
async function followFeeds(
  pair: RestorablePair,
  { client }: Customers,
): Promise<AsyncDisposable & { readonly all: readonly NamedFeed[] }> {
  await using opened = new AsyncDisposableStack();
  const token = await pair.token('watcher', ['inventory:read']);
  const inventory = opened.use(
    createClient(InventoryService, { target: pair.inventoryTarget, token: () => token }),
  );
  const [customerId = ''] = customerIdsOf('before', 1);
  const all = [
    {
      name: 'watcher of orders',
      ...followFeed((resumeToken) => client.watchOrders({ customerId, resumeToken })),
    },
    { name: 'watcher of stock', ...followFeed((resumeToken) => inventory.watchStock({ resumeToken })) },
  ];
  const kept = opened.move();
  return { all, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

type Expect = (holds: boolean, text: string) => void;

/** Reports, mends, and cancels the orders that are left, as an operator does. Returns lines for the report. */
async function mendAll(pair: RestorablePair, customers: Customers, expect: Expect): Promise<string[]> {
  const { replica } = pair.orders;
  const report = await runReconcile(replica);
  expect(
    report.exitCode === 1 && report.lines.length > 1,
    `the report found nothing: ${report.lines.join('; ')}`,
  );
  const mend = await runReconcile(replica, ['--mend']);
  const left = mend.lines.flatMap(
    (line) => /^order (\S+) is CONFIRMED .*(available|cancel the order)$/.exec(line)?.[1] ?? [],
  );
  expect((mend.exitCode === 0) === (left.length === 0), `after a mend, ${mend.lines.at(-1)}`);
  const random = seededRandom('operator');
  for (const id of left) {
    const purchase = { customerId: 'operator', requestId: id, units: {} };
    const outcome = await untilDefinite(random, { giveUp: false }, () => customers.cancel(purchase, id));
    expect(outcome.kind === 'ok', `order ${id} cannot be cancelled: ${JSON.stringify(outcome)}`);
  }
  return [`report: ${report.lines.at(-1)}`, `mend: ${mend.lines.at(-1)}${kindsOf(mend)}`];
}

/** Counts what was done, by its text. */
function kindsOf({ lines }: Reconciliation): string {
  const done = ['released', 'reserved again', 'cancelled again'].map((text) => {
    const count = lines.filter((line) => line.endsWith(`: ${text}`)).length;
    return `${count} ${text}`;
  });
  return ` (${done.join(', ')})`;
}

/** Expects that nothing is lost that the backup of orders has. Returns a line with the counts. */
async function lossesOf(
  pair: RestorablePair,
  history: readonly Call[],
  { endMs }: BaseBackup,
  expect: Expect,
): Promise<string> {
  const inBackup = acknowledgementsOf(history.filter((call) => call.endMs < endMs));
  for (const error of await lostOrders(pair, inBackup)) expect(false, `${error}, and was in the backup`);
  const all = acknowledgementsOf(history);
  const lost = await lostOrders(pair, all);
  const contradicted = await acknowledgementErrors(pair, all);
  const orders = new Set(all.map(({ orderId }) => orderId)).size;
  return `${lost.length} of ${orders} acknowledged orders are lost, ${contradicted.length} answers are no longer true`;
}
