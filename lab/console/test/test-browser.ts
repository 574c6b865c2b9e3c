/**
 * Tests with Chromium, and with Firefox where it is installed: a page calls the web port, and the console's page shows what the services
 * say. Fails when there is no Chromium.
 */

import { errorText, fail, flag, parseCommandLine } from '@acme/dev/cli';
import { type InstalledBrowser, installedBrowsers, openBrowser } from '@acme/lab/browser/browsers';
import { createChecks } from '@acme/lab/browser/checks';
import { testWebPort } from '@acme/lab/browser/test-web-port';
import { openConsolePage } from './console-page.ts';
import { type RunningConsole, startConsole } from './running-console.ts';
import { takePictures } from './take-pictures.ts';
import { testKeyboard } from './test-keyboard.ts';
import { testOrigins } from './test-origins.ts';
import { testPanels } from './test-panels.ts';
import { testTrouble } from './test-trouble.ts';

const { values } = parseCommandLine({
  call: 'npm run test:browser',
  summary: `Tests the web port and the console's page in Chromium, which must be installed, and in Firefox if it is installed.`,
  options: { pictures: flag('only takes the pictures of docs/pictures') },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const checks = createChecks(say);

try {
  const browsers = installedBrowsers();
  if (values.pictures) {
    await using running = await startConsole();
    await takePictures(browsers, running);
  } else {
    await part('the web port', () => testWebPort(browsers, checks));
    await using running = await startConsole();
    for (const installed of browsers) await part(installed.name, () => testConsole(installed, running));
  }
} catch (error) {
  if (values.pictures) fail(error);
  checks.check('the console starts', false, errorText(error));
}
say(`browser: ${checks.passed} passed, ${checks.problems.length} failed`);
for (const problem of checks.problems) say(`FAIL ${problem}`);
process.exit(checks.problems.length > 0 ? 1 : 0);

async function testConsole(installed: InstalledBrowser, running: RunningConsole): Promise<void> {
  await using opened = await openBrowser(installed);
  const { browser } = opened;
  const check: typeof checks.check = (name, ...rest) => checks.check(`${installed.name}: ${name}`, ...rest);
  const { name } = installed;
  await using page = await openConsolePage(browser, running.url);
  await part(`${name}, panels`, () => testPanels(page, running, check));
  await part(`${name}, other origins`, () => testOrigins(browser, running, check));
  await part(`${name}, keyboard`, () => testKeyboard(page, check));
  await part(`${name}, trouble`, () => testTrouble(page, running, check));
  check('the browser logs no error', page.problems.length === 0, page.problems);
}

/** Runs a part. What it throws is a check that fails, and the next part runs. */
async function part(name: string, test: () => Promise<void>): Promise<void> {
  await test().catch((error) => checks.check(`${name}: every step is taken`, false, errorText(error)));
}
