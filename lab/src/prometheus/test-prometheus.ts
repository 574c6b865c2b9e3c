/**
 * Tries alerts and dashboards on a real Prometheus: `promtool` checks the files and runs the alerts' tests, and a server
 * scrapes a pair that serves calls, and answers every query. Both programs must be there: without them it fails.
 */

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { readQueries } from '@acme/dev/check/observability/observability-drift';
import { fail } from '@acme/dev/cli/fail';
import { root } from '@acme/dev/repository/paths';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import { patiently } from '@acme/rpc/testing/call-until-accepted';
import { askPrometheus, untilScraped } from './prometheus-api.ts';
import { startScrapedPair } from './scraped-pair.ts';

const folder = join(root, 'deploy/observability/prometheus');
const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  checkFiles();
  await queryRunningPair();
  process.exit();
} catch (error) {
  fail(error);
}

function checkFiles(): void {
  for (const config of globSync('*.yml', { cwd: folder })) promtool('check', 'config', config);
  promtool('check', 'rules', ...globSync('rules/*.yml', { cwd: folder }));
  promtool('test', 'rules', ...globSync('tests/*.yml', { cwd: folder }));
}

/** Runs promtool, and throws what it says when it fails or is not there. */
function promtool(...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
  if (error) throw new Error(`promtool cannot be run (${error.message}): apt-get install prometheus`);
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`);
  say(`ok  promtool ${args.join(' ')}`);
}

async function queryRunningPair(): Promise<void> {
  await using scraped = await startScrapedPair(say);
  const { pair, prometheus } = scraped;
  const token = await pair.token('alice', ['orders:write']);
  using client = createClient(OrderService, { target: pair.ordersTarget, token: () => token });
  const place = () =>
    client.placeOrder({ requestId: crypto.randomUUID(), lines: [{ sku: 'SAT-0001', quantity: 1 }] });
  for (let order = 0; order < 20; order++) await patiently(place);
  await untilScraped(prometheus, ['orders', 'inventory']);
  for (let order = 0; order < 20; order++) await patiently(place);
  await untilScraped(prometheus, ['orders', 'inventory']);

  let empty = 0;
  for (const { place: where, query } of readQueries().queries) {
    const count = await askPrometheus(
      prometheus,
      query.replaceAll(/\$__\w+/g, '5m').replaceAll('$job', '.*'),
    );
    // The objectives' own series must always be there: an alert on nothing never fires.
    if (count === 0 && where.includes('job:')) throw new Error(`Prometheus has nothing of ${where}`);
    if (count === 0) empty++;
    say(`ok  ${String(count).padStart(4)} series  ${where}`);
  }
  say(
    `every query is answered; ${empty} with nothing, which is right for alerts and failures while all is well`,
  );
}
