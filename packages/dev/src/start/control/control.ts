import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { errorText } from '../../cli/fail.ts';
import { writeAtomically } from '../../cli/write-atomically.ts';

export interface StartStatus {
  readonly state: 'starting' | 'running' | 'stopping';
  /** URL of the console, if there is one. */
  readonly page?: string | undefined;
}

/** An `npm start` as others see it. */
export interface Start extends StartStatus {
  readonly pid: number;
}

/** How another command reaches it: the file `start.json` of the data folder, which only its owner can read. */
interface StartFile {
  readonly pid: number;
  readonly url: string;
  /** Every request has it, which pages in a browser and other users do not know. */
  readonly secret: string;
}

export interface ControlOptions {
  readonly dataFolder: string;
  /** Returns the present status. */
  status(): StartStatus;
  /** Restarts a service or PostgreSQL by its name. */
  restart(name: string): Promise<void>;
}

const probeTimeoutMs = 2000;

/** Serves the requests of `svc restart` and of other starts on a free port of loopback, until it is disposed. */
export async function serveControl({
  dataFolder,
  status,
  restart,
}: ControlOptions): Promise<AsyncDisposable> {
  const secret = randomBytes(32).toString('base64url');
  const server = createServer(async ({ headers, method, url = '' }, response) => {
    if (headers.authorization !== `Bearer ${secret}`) return response.writeHead(401).end();
    if (method !== 'POST') return response.end(JSON.stringify(status()));
    return Promise.try(() => restart(decodeURIComponent(url.slice(1)))).then(
      () => response.writeHead(204).end(),
      (error) => response.writeHead(409).end(errorText(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const start: StartFile = { pid: process.pid, url: `http://127.0.0.1:${port}`, secret };
  const file = startFile(dataFolder);
  await writeStartFile(dataFolder, start);
  return {
    [Symbol.asyncDispose]: async () => {
      await rm(file, { force: true });
      server.close();
      server.closeAllConnections();
    },
  };
}

async function writeStartFile(dataFolder: string, start: StartFile): Promise<void> {
  try {
    await mkdir(dataFolder, { recursive: true });
    await writeAtomically(startFile(dataFolder), JSON.stringify(start), 0o600);
  } catch (cause) {
    // svc restart does not need PostgreSQL's package.
    const { dataFolderError } = await import('@acme/postgres/embedded');
    throw dataFolderError(dataFolder, cause);
  }
}

/** Returns the `npm start` that runs on this data folder. */
export async function findStart(dataFolder: string): Promise<Start | undefined> {
  const start = await readStartFile(dataFolder);
  if (!start) return undefined;
  // Another process may have its port by now.
  const signal = AbortSignal.timeout(probeTimeoutMs);
  const status = await request(start, { signal }).then(
    async (response) => (response.ok ? ((await response.json()) as StartStatus) : undefined),
    () => undefined,
  );
  return status && { ...status, pid: start.pid };
}

/**
 * Lets `npm start` restart a service or PostgreSQL, and resolves when it is up.
 *
 * @throws Error when it is not up, or when no `npm start` runs on this data folder.
 */
export async function requestRestart(dataFolder: string, name: string): Promise<void> {
  const start = await readStartFile(dataFolder);
  const response =
    start && (await request(start, { method: 'POST' }, encodeURIComponent(name)).catch(() => undefined));
  if (!response || response.status === 401)
    throw new Error(`no npm start is running on ${dataFolder}: start the services with npx svc start`);
  if (response.status !== 204) throw new Error(await response.text());
}

function request({ url, secret }: StartFile, init: RequestInit, path = ''): Promise<Response> {
  return fetch(`${url}/${path}`, { ...init, headers: { authorization: `Bearer ${secret}` } });
}

function readStartFile(dataFolder: string): Promise<StartFile | undefined> {
  return readFile(startFile(dataFolder), 'utf8').then(JSON.parse, () => undefined);
}

function startFile(dataFolder: string): string {
  return join(dataFolder, 'start.json');
}
