import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { startEmbedded } from '../embedded/embedded.ts';
import { stopOrphanedServer } from '../embedded/orphaned-server.ts';
import type { ServerUser } from '../embedded/server-user.ts';

const ownerProgram = `
  import { startEmbedded } from ${JSON.stringify(new URL('../embedded/embedded.ts', import.meta.url).href)};
  process.on('SIGINT', () => console.log('interrupted'));
  const embedded = startEmbedded({ dataFolder: process.argv[1] });
  console.log(await embedded.then(({ url }) => url('postgres'), (error) => error.message));`;

/** Creates a data folder for each test of the embedded server. */
export function useDataFolder() {
  // An initdb syncs to disk, which other processes may keep busy.
  vi.setConfig({ testTimeout: 60_000 });
  let template: string;
  const place = {
    /** Folder that holds the data folder, and is removed after the test. */
    parent: '',
    dataFolder: '',
    /** Clean-up steps after the test, called in reverse order. */
    undo: [] as (() => unknown)[],

    /** Copies a cluster that has been initialized, which is faster than initdb. */
    copyTemplate: () => execFileSync('cp', ['-a', template, place.dataFolder]),

    async start() {
      const embedded = await startEmbedded({ dataFolder: place.dataFolder });
      place.undo.push(embedded.close);
      return embedded;
    },

    /** Starts a process that holds the data folder until it is killed, in its own process group like a terminal's. */
    async startOwner(user?: ServerUser) {
      const { dataFolder } = place;
      const child = spawn(process.execPath, ['--input-type=module', '-e', ownerProgram, dataFolder], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
        ...user,
      });
      const exited = once(child, 'exit');
      place.undo.push(async () => {
        child.kill('SIGKILL');
        await exited;
        await stopOrphanedServer(join(dataFolder, 'pgdata'));
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const nextLine = async () =>
        (await lines.next()).value ?? expect.unreachable('the owner printed nothing');
      return { child, exited, answer: await nextLine(), nextLine };
    },

    async postmasterPid() {
      return Number.parseInt(await readFile(join(place.dataFolder, 'pgdata/postmaster.pid'), 'utf8'), 10);
    },
  };
  beforeAll(async () => {
    template = await mkdtemp(join(tmpdir(), 'acme-embedded-template-'));
    await (await startEmbedded({ dataFolder: template })).close();
  });
  afterAll(() => rm(template, { recursive: true }));
  beforeEach(async () => {
    place.parent = await mkdtemp(join(tmpdir(), 'acme-embedded-'));
    await chmod(place.parent, 0o755);
    place.dataFolder = join(place.parent, 'a folder for Übung');
  });
  afterEach(async () => {
    for (const step of place.undo.splice(0).reverse()) await step();
    await rm(place.parent, { recursive: true, force: true });
  });
  return place;
}
