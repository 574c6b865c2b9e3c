import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @throws Error that says how to install it when there is no Chromium on the PATH. */
export function findChromium(): string {
  const found = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found === undefined)
    throw new Error(`no Chromium on the PATH (${names.join(', ')}): .ci/install-chromium installs Debian's`);
  return found;
}

/** Opens a URL in headless Chromium. Disposing ends it. */
export async function openInChromium(program: string, url: string): Promise<AsyncDisposable> {
  const profile = await mkdtempDisposable(join(tmpdir(), 'chromium-'));
  // Chromium's sandbox needs privileges that root in a container lacks. The page is this repository's own.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const child: ChildProcess = spawn(program, [...flags, `--user-data-dir=${profile.path}`, url], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
      await profile.remove();
    },
  };
}
