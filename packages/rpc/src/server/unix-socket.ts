import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, realpath, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time that another process may take to start on the same path. */
const lockTimeoutMs = 5000;
const lockPollMs = 20;

/**
 * Returns the path of a Unix socket address in gRPC's naming: `unix:relative`, `unix:/absolute` or `unix:///absolute`.
 * Undefined for any other address.
 */
export function unixSocketPath(address: string): string | undefined {
  const [, authority, path] = /^unix:(?:\/\/([^/]*)\/)?(.+)$/.exec(address) ?? [];
  return authority === '' ? `/${path}` : path;
}

/**
 * Binds a Unix socket after removing a stale file, which a killed process leaves behind. A file on which a server accepts
 * connections stays, so `bind` fails. The umask of the process decides who may connect: with 022, only its user. The file
 * is removed when the server closes.
 *
 * If several processes start on the path at once, one of them binds. On Linux a lock in the abstract namespace prevents
 * the others from removing the new socket. The lock ends with its process.
 *
 * @throws Error when the path exists and is not a socket.
 */
export async function bindUnixSocket<Result>(path: string, bind: () => Promise<Result>): Promise<Result> {
  await using _lock = process.platform === 'linux' ? await lock(path) : undefined;
  await removeStale(path);
  return await bind();
}

async function removeStale(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (!file) return;
  if (!file.isSocket()) throw new Error(`${path} exists and is not a socket`);
  // Any other error, such as that of a full backlog, may come from a live server.
  if ((await connectError(path)) === 'ECONNREFUSED') await unlink(path);
}

/** Returns the error code of a connection attempt; undefined when it is accepted. */
async function connectError(path: string): Promise<string | undefined> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

async function lock(path: string): Promise<AsyncDisposable> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  const name = createHash('sha256')
    .update(join(folder, basename(path)))
    .digest('hex');
  const endMs = performance.now() + lockTimeoutMs;
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    try {
      await once(server.listen({ path: `\0bind-${name}` }), 'listening');
      return server;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (performance.now() > endMs)
        throw new Error(`another process has been starting on ${path} for too long`);
    }
    await sleep(lockPollMs);
  }
}
