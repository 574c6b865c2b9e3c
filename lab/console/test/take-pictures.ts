import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '@acme/dev/repository';
import { type InstalledBrowser, openBrowser } from '@acme/lab/browser/browsers';
import type { TraceList } from '../api.ts';
import { type ConsolePage, openConsolePage } from './console-page.ts';
import type { RunningConsole } from './running-console.ts';
import { setRate } from './test-panels.ts';

const folder = join(root, 'docs', 'pictures');
const size = { width: 1440, height: 900 };
const perSecond = 60;
const loadMs = 30_000;
const outageMs = 4000;

/** Takes the pictures of the README: the overview in both themes during an outage, the signals, and a trace. */
export async function takePictures(
  [chromium]: readonly InstalledBrowser[],
  { url }: RunningConsole,
): Promise<void> {
  if (!chromium) return;
  await mkdir(folder, { recursive: true });
  await using opened = await openBrowser(chromium);
  const { browser } = opened;
  await using page = await openConsolePage(browser, url);
  await page.page.setViewport(size);
  await page.untilText('[data-part="service:orders"] .part-state', (text) => text === 'up');
  await setRate(page, perSecond);
  await sleep(loadMs);
  await take(page, 'console-light', 'light');
  await page.click('button[aria-label="Kill inventory"]');
  await page.untilText('[data-part="service:inventory"] .part-state', (text) => text === 'down');
  await sleep(outageMs);
  await take(page, 'console-outage', 'dark');
  await page.untilText('[data-part="service:inventory"] .part-state', (text) => text === 'up');
  await sleep(loadMs);
  await page.open('#/signals');
  await page.untilShown('.saturation');
  await sleep(outageMs);
  await take(page, 'console-signals', 'light');
  await page.open(`#/traces/${await wholeTrace(page)}`);
  await page.untilShown('.waterfall li:nth-child(10)');
  await take(page, 'console-trace', 'light');
}

/** Returns the id of the newest PlaceOrder that has the spans of its batches, of both services. */
async function wholeTrace(page: ConsolePage): Promise<string> {
  const { traces } = await page.api<TraceList>('/api/traces?method=PlaceOrder&limit=1000');
  const trace = traces.find(({ name, spans }) => name.endsWith('PlaceOrder') && spans > 10 && spans < 16);
  if (!trace) throw new Error('no trace has all of its spans');
  return trace.id;
}

async function take({ page }: ConsolePage, name: string, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await sleep(500);
  await page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png` });
}
