import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to connections: nobody takes the port of a process that is down for a moment. */
const lowest = 20_000;
const highest = 32_000;
const attempts = 100;

/** A port of 127.0.0.1 that nobody listens on, for a process that is started on it again and again. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const probe = createServer();
    try {
      await once(probe.listen(port, '127.0.0.1'), 'listening');
      await probe[Symbol.asyncDispose]();
      return port;
    } catch {
      // Somebody's.
    }
  }
  throw new Error(`no port of 127.0.0.1 from ${lowest} to ${highest} is free`);
}
