import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Checks } from '@acme/lab/browser/checks';
import type { Browser, Page } from 'puppeteer-core';
import { readLive } from './read-live.ts';
import type { RunningConsole } from './running-console.ts';

/** The page of another origin can read nothing, and break nothing. A browser without the key is told how to get it. */
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
  const before = await changeable(url);
  const { origin, port } = new URL(url);
  const kill = { part: 'service:inventory', action: 'kill', forMs: 60_000 };
  const post = (init: RequestInit, body: object) =>
    JSON.stringify({ ...init, method: 'POST', body: JSON.stringify(body) });
  const json = { headers: { 'content-type': 'application/json' } };
  const form: RequestInit = { mode: 'no-cors', headers: { 'content-type': 'text/plain' } };
  const outcome = async (path: string, init = '{}') =>
    await page.evaluate(
      `fetch('${origin}${path}', ${init}).then((response) => response.type + response.status, () => 'failed')`,
    );
  check('another origin reads no token', (await outcome('/api/session')) === 'failed');
  check('another origin cannot send JSON', (await outcome('/api/trouble', post(json, kill))) === 'failed');
  for (const [path, body] of [
    ['/api/trouble', kill],
    ['/api/load', { perSecond: 1, hotItem: true }],
  ] as const) {
    const sent = await outcome(path, post(form, body));
    check(`another origin gets nothing for a form to ${path}`, sent === 'failed' || sent === 'opaque0', sent);
  }
  const framed = await addressInFrame(page, origin);
  check('another origin cannot frame the page', /^(chrome-error|about:neterror)/.test(framed), framed);
  // To a browser it is another origin, which keeps no key.
  await page.goto(`http://localhost:${port}`);
  const notice = await page.waitForSelector('::-p-text(does not have the console)');
  check('a page without the key says so', notice !== null);
  await page.close();
  const after = await changeable(url);
  check('another origin has changed nothing', isDeepStrictEqual(after, before), { before, after });
  const { stock } = await inventory.getStock({ sku: 'SAT-0001' });
  check('another origin has not killed inventory', stock?.sku === 'SAT-0001');
}

/** Returns what a page of the console can change, as it is now. */
async function changeable(url: string): Promise<object> {
  const { load, parts } = await readLive(url);
  return {
    load: { wantedPerSecond: load.wantedPerSecond, hotItem: load.hotItem },
    parts: parts.map(({ id, state, undoAtMs }) => ({ id, state, undoAtMs })),
  };
}

/** Frames an address, and returns that of the document in the frame: the browser's error page if it is refused. */
async function addressInFrame(page: Page, url: string): Promise<string> {
  await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = '${url}/';
    frame.onload = resolve;
    document.body.append(frame);
  })`);
  await using frame = await page.$('iframe');
  return (await frame?.contentFrame())?.url() ?? '';
}
