import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, launch } from 'puppeteer-core';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';

/** A browser of this machine. */
export interface InstalledBrowser {
  readonly name: 'Chromium' | 'Firefox';
  readonly program: string;
}

const programs = {
  Chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  Firefox: ['firefox-esr', 'firefox'],
} as const;

/**
 * Returns Chromium, and Firefox if it is installed.
 *
 * @throws Error that says how to install Chromium when there is none on the PATH.
 */
export function installedBrowsers(): readonly InstalledBrowser[] {
  const chromium = find('Chromium');
  if (!chromium)
    throw new Error(
      `no Chromium on the PATH (${programs.Chromium.join(', ')}): .ci/install-chromium installs Debian's`,
    );
  const firefox = find('Firefox');
  return firefox ? [chromium, firefox] : [chromium];
}

function find(name: InstalledBrowser['name']): InstalledBrowser | undefined {
  const folders = process.env.PATH?.split(delimiter) ?? [];
  const program = programs[name]
    .flatMap((each) => folders.map((folder) => join(folder, each)))
    .find((path) => spawnSync(path, ['--version']).status === 0);
  return program === undefined ? undefined : { name, program };
}

/** Browsers start slowly while other processes use every core. */
const launchTimeoutMs = 120_000;

/** A browser without a window. Disposal closes it. */
export interface OpenedBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/**
 * Opens a browser: Chromium by its DevTools protocol, Firefox by WebDriver BiDi. Its home is a temporary folder: Firefox does not start
 * as root in the home of another user, and the user's own settings must not matter.
 */
export async function openBrowser({ name, program }: InstalledBrowser): Promise<OpenedBrowser> {
  await using opened = new AsyncDisposableStack();
  const home = await makeTemporaryFolder(`${name.toLowerCase()}-`);
  // The processes of a browser that is closed write for a moment longer.
  opened.defer(() => rm(home, { recursive: true, force: true, maxRetries: 20 }));
  const options = {
    executablePath: program,
    timeout: launchTimeoutMs,
    env: { ...process.env, HOME: home },
    userDataDir: join(home, 'profile'),
  };
  // Chromium's sandbox needs privileges that root in a container lacks. The pages are this repository's own.
  const browser = opened.use(
    name === 'Firefox'
      ? await launch({ ...options, browser: 'firefox' })
      : await launch({ ...options, args: ['--no-sandbox', '--disable-dev-shm-usage'] }),
  );
  const kept = opened.move();
  return { browser, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
