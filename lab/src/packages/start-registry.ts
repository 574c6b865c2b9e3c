import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@acme/dev/start';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runIn } from './run-in.ts';

const source = fileURLToPath(new URL('./registry/', import.meta.url));

/** Time to start, in ms. */
const startTimeoutMs = 60_000;

/** A registry on the loopback address. Disposing stops it and removes its packages. */
export interface Registry extends AsyncDisposable {
  /** Variables with which npm uses it, publishing included. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Installs verdaccio in a temporary folder and starts it. It forwards to the registry that npm is configured for. */
export async function startRegistry(): Promise<Registry> {
  const folder = await openTemporaryFolder('registry-');
  await cp(source, folder.path, { recursive: true });
  const uplink = await runIn(folder.path, {}, 'npm', 'config', 'get', 'registry');
  const config = join(folder.path, 'config.yaml');
  await writeFile(config, (await readFile(config, 'utf8')).replace('UPLINK', uplink.trim()));
  await runIn(folder.path, {}, 'npm', 'ci', '--no-audit', '--no-fund');
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const program = join(folder.path, 'node_modules/verdaccio/bin/verdaccio');
  const child = spawn(process.execPath, [program, '--config', config, '--listen', address], {
    cwd: folder.path,
    // Node warns about a registry that runs as root. It trusts the authorities of this machine, as npm does.
    env: { ...process.env, NODE_NO_WARNINGS: '1', NODE_USE_SYSTEM_CA: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    await folder[Symbol.asyncDispose]();
  };
  try {
    await answers(`http://${address}/-/ping`, child);
  } catch (error) {
    await stop();
    throw error;
  }
  // npm publishes only with a token. The registry accepts any.
  const settings = join(folder.path, 'npmrc');
  await writeFile(settings, `registry=http://${address}/\n//${address}/:_authToken=any\n`);
  return {
    environment: {
      npm_config_userconfig: settings,
      npm_config_registry: `http://${address}/`,
      npm_config_cache: join(folder.path, 'cache'),
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + startTimeoutMs;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    if (child.exitCode !== null) throw new Error(`the registry exited with ${child.exitCode}`);
    if (performance.now() > endMs) throw new Error(`the registry does not answer after ${startTimeoutMs} ms`);
    await sleep(100);
  }
}
