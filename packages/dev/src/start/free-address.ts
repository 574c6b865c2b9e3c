import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from './free-port.ts';

/**
 * An address that nothing listens on; port 0 stands for any that is free. What listened there already would answer in
 * the place of the service.
 */
export async function freeAddress(port: number): Promise<string> {
  if (port === 0) return `127.0.0.1:${await freePort()}`;
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`cannot listen on 127.0.0.1:${port} (${code}): stop what does, or use another port`, {
      cause,
    });
  }
  probe.close();
  await once(probe, 'close');
  return `127.0.0.1:${port}`;
}
