/**
 * Tests alerts and dashboards with a real Prometheus: `promtool` checks the files and runs the tests of the alerts, and
 * a server that scrapes a pair executes every query. Fails when either program is missing.
 */

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { readQueries } from '@acme/dev/check';
import { fail, parseCommandLine } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { callUntilAccepted } from '@acme/rpc/testing';
import { queryPrometheus, untilScraped } from './prometheus-api.ts';
import { startScrapedPair } from './scraped-pair.ts';

parseCommandLine({
  call: 'npm run test:prometheus',
  summary:
    'Checks alerts and dashboards with promtool and a Prometheus that scrapes the pair. Both must be installed.',
});

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

/** Runs promtool. Throws its output when it fails. */
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
  for (let order = 0; order < 20; order++) await callUntilAccepted(place);
  await untilScraped(prometheus, ['orders', 'inventory']);
  for (let order = 0; order < 20; order++) await callUntilAccepted(place);
  await untilScraped(prometheus, ['orders', 'inventory']);

  let empty = 0;
  for (const { place: where, query } of readQueries().queries) {
    const concrete = query.replaceAll(/\$__\w+/g, '5m').replaceAll('$job', '.*');
    const { length } = await queryPrometheus(prometheus, concrete);
    // The series of the objectives must always exist: an alert on no series never fires.
    if (length === 0 && where.includes('job:')) throw new Error(`no series for ${where}`);
    if (length === 0) empty++;
    say(`ok  ${String(length).padStart(4)} series  ${where}`);
  }
  say(`every query is valid; ${empty} have no series, as alerts and failures should while nothing fails`);
}
