import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionPreface, frame, frameFlag, frameType } from './frames.ts';

/** A TCP connection on which an attacker sends arbitrary bytes. */
export interface RawConnection extends Disposable {
  /** Resolves when the bytes are sent, or after a second if the server does not read. */
  write(bytes: Buffer): Promise<void>;
  readonly isClosed: boolean;
}

export interface RawConnectionOptions {
  /** Whether the client reads. If not, the server's TCP window fills. */
  readonly reads?: boolean;
  /** Whether the client acknowledges the server's SETTINGS. */
  readonly acknowledges?: boolean;
  /** Whether the client sends the preface and its SETTINGS. */
  readonly greets?: boolean;
}

const writeTimeoutMs = 1000;

/** Connects to a port of this machine. */
export async function connectRaw(port: number, options: RawConnectionOptions = {}): Promise<RawConnection> {
  const { reads = true, acknowledges = true, greets = true } = options;
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  if (reads) socket.resume();
  else socket.pause();
  if (greets) {
    socket.write(connectionPreface);
    socket.write(frame(frameType.settings, frameFlag.none, 0));
    if (acknowledges) socket.write(frame(frameType.settings, frameFlag.acknowledge, 0));
  }
  return {
    write: async (bytes) => {
      if (socket.destroyed || socket.write(bytes)) return;
      const given = new AbortController();
      const { signal } = given;
      const ignored = () => {};
      await Promise.race([
        once(socket, 'drain', { signal }).catch(ignored),
        once(socket, 'close', { signal }).catch(ignored),
        sleep(writeTimeoutMs, undefined, { signal }).catch(ignored),
      ]);
      given.abort();
    },
    get isClosed() {
      return socket.destroyed;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}
