/**
 * Tests the web port with a browser: a page in headless Chromium places an order, watches it being confirmed, and reads the
 * violations of an invalid one, by Connect and by gRPC-Web. The page on another origin can do none of that. Fails when there is no
 * Chromium.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, parseCommandLine } from '@acme/dev/cli';
import { services } from '@acme/dev/repository';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { rolldown } from 'rolldown';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { findChromium, openInChromium } from './chromium.ts';
import type { PageReport, PageTask } from './page-report.ts';
import { type PageServer, startPageServer } from './page-server.ts';

parseCommandLine({
  call: 'npm run test:browser',
  summary: 'Calls the web port of orders from a page in headless Chromium, which must be installed.',
});

const pageTimeoutMs = 60_000;
const problems: string[] = [];
let passed = 0;

try {
  const chromium = findChromium();
  const script = await bundle('page.ts');
  await using app = await startPageServer(script);
  await using foreign = await startPageServer(script);
  process.env.WEB_ORIGINS = app.origin;
  await using started = new AsyncDisposableStack();
  const folder = await makeTemporaryFolder('browser-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const pair = await startPair({
    dataFolder: join(folder, 'data'),
    ordersPort: 0,
    inventoryPort: 0,
    webPorts: { orders: 0 },
    onStep: (what) => say(`  up  ${what}`),
  });
  started.defer(() => pair.close());
  const { ordersTarget, inventoryTarget } = pair;
  await services.find(({ name }) => name === 'inventory')?.seed?.({ ...pair, target: inventoryTarget });
  const token = await pair.token('alice', ['orders:read', 'orders:write']);
  const task: PageTask = { ordersUrl: `http://${pair.webTargets.orders}`, token };

  const [byConnect, byGrpcWeb] = await reportsOf(chromium, app, task);
  for (const [name, report] of [
    ['Connect', byConnect],
    ['gRPC-Web', byGrpcWeb],
  ] as const) {
    check(`${name}: no call of the page fails`, report?.error === '', report?.error);
    check(
      `${name}: the page reads the violations`,
      report?.violations.join() === 'request_id,lines',
      report?.violations,
    );
    check(`${name}: the page sees its order confirmed`, Number(report?.watchedStates) > 0, report);
    check(`${name}: the page lists its order`, report?.isListed === true, report);
  }
  using orders = createClient(OrderService, { target: ordersTarget, token: () => token });
  const { orders: before } = await orders.listOrders({ pageSize: 100 });
  const refused = await reportsOf(chromium, foreign, task);
  check(
    'another origin can call nothing',
    refused.every(({ error }) => /failed to fetch/i.test(error)),
    refused,
  );
  const { orders: after } = await orders.listOrders({ pageSize: 100 });
  check('another origin has placed no order', after.length === before.length, after.length);
} catch (error) {
  fail(error);
}
for (const problem of problems) say(`FAIL ${problem}`);
say(`browser: ${passed} passed, ${problems.length} failed`);
process.exit(problems.length > 0 ? 1 : 0);

async function reportsOf(chromium: string, page: PageServer, task: PageTask): Promise<readonly PageReport[]> {
  const url = `${page.origin}/#${encodeURIComponent(JSON.stringify(task))}`;
  await using _browser = await openInChromium(chromium, url);
  return await page.reports(2, pageTimeoutMs);
}

/** Bundles a file of this folder for browsers. */
async function bundle(file: string): Promise<string> {
  const build = await rolldown({ input: fileURLToPath(new URL(file, import.meta.url)), platform: 'browser' });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output[0].code;
}

function check(name: string, holds: boolean, seen: unknown): void {
  if (holds) passed++;
  else problems.push(`${name}: ${JSON.stringify(seen)}`);
  if (holds) say(`ok   ${name}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
