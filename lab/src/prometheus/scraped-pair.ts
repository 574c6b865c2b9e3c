import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, services } from '@acme/dev/repository';
import { freePort } from '@acme/dev/start';
import { importCatalogue } from '@acme/inventory/development/catalogue';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { type Pair, startPair } from '../pair/pair.ts';

/** Interval at which Prometheus scrapes the services and evaluates its rules. */
const scrapeSeconds = 1;

/** A pair with a catalogue, and a Prometheus that scrapes it. */
export interface ScrapedPair extends AsyncDisposable {
  readonly pair: Pair;
  /** Address of Prometheus's API. */
  readonly prometheus: string;
}

/**
 * Starts both in a temporary folder. `onStep` is called with a description of each step.
 *
 * @throws Error when `prometheus` is not on the PATH.
 */
export async function startScrapedPair(onStep: (step: string) => void): Promise<ScrapedPair> {
  await using starting = new AsyncDisposableStack();
  const data = starting.use(await openTemporaryFolder('prometheus-'));
  const metricsPorts = { orders: await freePort(), inventory: await freePort() };
  const prometheus = `127.0.0.1:${await freePort()}`;
  const options = { dataFolder: data.path, ordersPort: 0, inventoryPort: 0, metricsPorts, onStep };
  const pair = starting.adopt(await startPair(options), (started) => started.close());
  await importCatalogue({ ...pair, target: pair.inventoryTarget });

  const configFile = await writeConfig(data.path, metricsPorts);
  const server = spawn(
    'prometheus',
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${data.path}/tsdb`,
      `--web.listen-address=${prometheus}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => server.once('close', resolve));
  try {
    await once(server, 'spawn');
  } catch (cause) {
    throw new Error('prometheus cannot be run: apt-get install prometheus', { cause });
  }
  starting.defer(async () => {
    server.kill();
    await ended;
  });
  const running = starting.move();
  return { pair, prometheus, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Writes the configuration for `npm start` with the ports of the pair and a short interval. Returns its file. */
async function writeConfig(folder: string, metricsPorts: Readonly<Record<string, number>>): Promise<string> {
  const source = join(root, 'deploy/observability/prometheus');
  await cp(source, join(folder, 'prometheus'), { recursive: true });
  const edit = async (file: string, change: (text: string) => string) =>
    writeFile(join(folder, 'prometheus', file), change(await readFile(join(source, file), 'utf8')));
  await edit('local.yml', (text) => text.replaceAll('15s', `${scrapeSeconds}s`));
  for (const { name, metricsPort } of services)
    await edit(`scrape/local/${name}.yml`, (text) =>
      text.replace(`127.0.0.1:${metricsPort}`, `127.0.0.1:${metricsPorts[name]}`),
    );
  return join(folder, 'prometheus/local.yml');
}
