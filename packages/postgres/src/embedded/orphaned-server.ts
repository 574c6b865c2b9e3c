import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastShutdownMs, immediateShutdownMs } from './server-process.ts';

const pollMs = 20;

/**
 * Stops a server that still runs on `pgdata` after its owner was killed. Only the holder of the data folder's lock may call
 * it, because the lock proves that no other process uses the server.
 */
export async function stopOrphanedServer(pgdata: string): Promise<void> {
  const pidFile = join(pgdata, 'postmaster.pid');
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!(pid > 0)) return;
  if (isServerOn(pid, pgdata)) {
    await stop(pid, pgdata);
    return;
  }
  // PostgreSQL would take any live process with this id for a server. It ignores its parent's id. The file is kept, because
  // PostgreSQL also checks the shared memory that its other lines name.
  await writeFile(pidFile, text.replace(/^\d+/, String(process.pid)));
}

async function stop(pid: number, pgdata: string): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGINT', fastShutdownMs],
    ['SIGQUIT', immediateShutdownMs],
  ] as const) {
    process.kill(pid, signal);
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      if (!isServerOn(pid, pgdata)) return;
      await sleep(pollMs);
    }
  }
  throw new Error(
    `process ${pid} is a PostgreSQL server on ${pgdata} and does not stop: end it (kill -9 ${pid})`,
  );
}

/**
 * Returns whether `pid` is a server on this folder, by its arguments, which a postmaster never changes. A zombie process
 * has no arguments, and counts as ended.
 */
function isServerOn(pid: number, pgdata: string): boolean {
  try {
    if (process.platform === 'linux') {
      const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return program?.endsWith('/postgres') === true && args[args.indexOf('-D') + 1] === pgdata;
    }
    const command = execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes(`/postgres -D ${pgdata} -c `);
  } catch {
    return false;
  }
}
