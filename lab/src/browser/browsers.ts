import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { type Browser, launch } from 'puppeteer-core';

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

/** Opens a browser without a window: Chromium by its DevTools protocol, Firefox by WebDriver BiDi. */
export async function openBrowser({ name, program }: InstalledBrowser): Promise<Browser> {
  // Chromium's sandbox needs privileges that root in a container lacks. The pages are this repository's own.
  return name === 'Firefox'
    ? await launch({ browser: 'firefox', executablePath: program })
    : await launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
