import type { Socket } from 'node:net';

/** The beginning of every HTTP/2 connection (RFC 9113, section 3.4). No method of HTTP/1.1 begins with it. */
const preface = 'PRI * HTTP/2.0';

/**
 * Calls `onProtocol` when the first bytes of a plain-text connection tell its protocol. They stay unread. A connection that
 * sends none within `timeoutMs` is closed.
 */
export function detectProtocol(
  socket: Socket,
  timeoutMs: number,
  onProtocol: (protocol: 'h2' | 'http/1.1', received: Buffer) => void,
): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  let received = Buffer.alloc(0);
  const onReadable = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    received = Buffer.concat([received, bytes]);
    const start = received.toString('latin1', 0, preface.length);
    // The rest of the preface has yet to arrive.
    if (start.length < preface.length && preface.startsWith(start)) return;
    stop();
    socket.unshift(received);
    onProtocol(start === preface ? 'h2' : 'http/1.1', received);
  };
  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('close', stop);
  };
  socket.on('readable', onReadable);
  socket.on('close', stop);
}
