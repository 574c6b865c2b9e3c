import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ephemeral ports: no connection takes the port of a process that restarts. */
const lowest = 20_000;
const highest = 32_000;
const attempts = 100;

/**
 * Returns a port of 127.0.0.1 that nothing listens on: `port`, or a random one from 20,000 to 32,000 if it is 0.
 *
 * @param option The command's option for another port, which the error names.
 * @throws Error if something listens on `port`, which would receive the calls meant for the service.
 */
export async function freePort(port = 0, option = 'another port'): Promise<number> {
  if (port !== 0) {
    await listenOnce(port).catch((cause: NodeJS.ErrnoException) => {
      const problem = `cannot listen on 127.0.0.1:${port} (${cause.code})`;
      throw new Error(`${problem}: stop the process that does, or use ${option}`, { cause });
    });
    return port;
  }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const candidate = lowest + Math.floor(Math.random() * (highest - lowest));
    const isFree = await listenOnce(candidate).then(
      () => true,
      () => false,
    );
    if (isFree) return candidate;
  }
  throw new Error(`no port of 127.0.0.1 from ${lowest} to ${highest} is free`);
}

async function listenOnce(port: number): Promise<void> {
  const probe = createServer();
  await once(probe.listen(port, '127.0.0.1'), 'listening');
  await probe[Symbol.asyncDispose]();
}
