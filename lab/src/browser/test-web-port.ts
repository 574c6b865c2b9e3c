import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services } from '@acme/dev/repository';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { rolldown } from 'rolldown';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { type InstalledBrowser, openBrowser } from './browsers.ts';
import type { Checks } from './checks.ts';
import type { PageReport, PageTask } from './page-report.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const pageTimeoutMs = 60_000;

/**
 * Tests the web port: a page places an order, watches it being confirmed, and reads the violations of an invalid one, by Connect and by
 * gRPC-Web. The page on another origin can do none of that.
 */
export async function testWebPort(browsers: readonly InstalledBrowser[], { check }: Checks): Promise<void> {
  const script = await bundle('page.ts');
  await using app = await startPageServer(script);
  await using foreign = await startPageServer(script);
  process.env.WEB_ORIGINS = app.origin;
  await using started = new AsyncDisposableStack();
  started.defer(() => {
    delete process.env.WEB_ORIGINS;
  });
  const folder = await makeTemporaryFolder('browser-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const pair = await startPair({
    dataFolder: join(folder, 'data'),
    ordersPort: 0,
    inventoryPort: 0,
    webPorts: { orders: 0 },
    onStep: () => {},
  });
  started.defer(() => pair.close());
  const { ordersTarget, inventoryTarget } = pair;
  await services.find(({ name }) => name === 'inventory')?.seed?.({ ...pair, target: inventoryTarget });
  const token = await pair.token('alice', ['orders:read', 'orders:write']);
  const task: PageTask = { ordersUrl: `http://${pair.webTargets.orders}`, token };
  using orders = createClient(OrderService, { target: ordersTarget, token: () => token });
  for (const browser of browsers) {
    checkReports(browser, await reportsOf(browser, app, task), check);
    const { orders: before } = await orders.listOrders({ pageSize: 100 });
    const refused = await reportsOf(browser, foreign, task);
    check(
      `${browser.name}: another origin can call nothing`,
      refused.every(({ error }) => /failed to fetch|NetworkError/i.test(error)),
      refused,
    );
    const { orders: after } = await orders.listOrders({ pageSize: 100 });
    check(
      `${browser.name}: another origin has placed no order`,
      after.length === before.length,
      after.length,
    );
  }
}

function checkReports(
  { name }: InstalledBrowser,
  reports: readonly PageReport[],
  check: Checks['check'],
): void {
  for (const [index, protocol] of ['Connect', 'gRPC-Web'].entries()) {
    const report = reports[index];
    const by = `${name}, ${protocol}`;
    check(`${by}: no call of the page fails`, report?.error === '', report?.error);
    check(
      `${by}: the page reads the violations`,
      report?.violations.join() === 'request_id,lines',
      report?.violations,
    );
    check(`${by}: the page sees its order confirmed`, Number(report?.watchedStates) > 0, report);
    check(`${by}: the page lists its order`, report?.isListed === true, report);
  }
}

async function reportsOf(
  browser: InstalledBrowser,
  server: PageServer,
  task: PageTask,
): Promise<readonly PageReport[]> {
  await using opened = await openBrowser(browser);
  const page = await opened.browser.newPage();
  const reports = server.reports(2, pageTimeoutMs);
  await page.goto(`${server.origin}/#${encodeURIComponent(JSON.stringify(task))}`);
  return await reports;
}

/** Bundles a file of this folder for browsers. */
async function bundle(file: string): Promise<string> {
  const build = await rolldown({ input: fileURLToPath(new URL(file, import.meta.url)), platform: 'browser' });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output[0].code;
}
