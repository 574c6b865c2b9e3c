import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Checks } from '@acme/lab/browser/checks';
import type { Browser } from 'puppeteer-core';
import type { RunningConsole } from './running-console.ts';

/** The page of another origin can read nothing, and break nothing. */
export async function testOrigins(
  browser: Browser,
  { url, inventory }: RunningConsole,
  check: Checks['check'],
): Promise<void> {
  await using server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<title>another origin</title>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const kill = JSON.stringify({ part: 'service:inventory', action: 'kill', forMs: null });
  const json = `{ method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(kill)} }`;
  const form = `{ method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: ${JSON.stringify(kill)} }`;
  const outcome = async (path: string, init = '{}') =>
    await page.evaluate(
      `fetch('${url}${path}', ${init}).then((response) => response.type + response.status, () => 'failed')`,
    );
  check('another origin reads no token', (await outcome('/api/session')) === 'failed');
  check('another origin cannot send JSON', (await outcome('/api/trouble', json)) === 'failed');
  const sent = await outcome('/api/trouble', form);
  check('another origin gets nothing for a form', sent === 'failed' || sent === 'opaque0', sent);
  const framed = await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = '${url}/';
    frame.onload = () => { try { resolve(frame.contentDocument === null ? 'refused' : 'blank'); } catch { resolve('refused'); } };
    document.body.append(frame);
  })`);
  check('another origin cannot read a frame of the page', framed !== 'page', framed);
  await page.close();
  const { stock } = await inventory.getStock({ sku: 'SAT-0001' });
  check('another origin has not killed inventory', stock?.sku === 'SAT-0001');
}
