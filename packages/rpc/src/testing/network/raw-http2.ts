import { once } from 'node:events';
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';

/** The answer to a raw request. `code` and `message` are the gRPC status, from headers or trailers. */
export interface RawAnswer {
  /** NaN if the stream was reset without an answer. */
  readonly httpStatus: number;
  readonly code: number | undefined;
  readonly message: string;
  /** The response headers and trailers. */
  readonly headers: IncomingHttpHeaders;
  /** The response body, with its message frames. */
  readonly body: Buffer;
}

/** A connection for requests that no gRPC client would send. */
export interface RawConnection extends AsyncDisposable {
  /** Posts the bytes unchanged. `headers` replace the defaults; an undefined header is omitted. */
  post(path: string, body: Uint8Array, headers?: OutgoingHttpHeaders): Promise<RawAnswer>;
  /** Resolves at the server's next ping. */
  pinged(): Promise<unknown>;
  /** Resolves with the error code of the server's GOAWAY. */
  readonly goodbye: Promise<number>;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
}

export async function connectRaw(target: string): Promise<RawConnection> {
  const session = connect(`http://${target}`);
  session.on('error', () => {});
  const closed = new Promise((resolve) => session.once('close', resolve));
  const goodbye = new Promise<number>((resolve) => session.once('goaway', resolve));
  await once(session, 'connect');
  return {
    pinged: () => once(session, 'ping'),
    goodbye,
    closed,
    post: async (path, body, headers) => {
      const defaults = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization: 'Bearer test-token',
      };
      const stream = session.request({ ...defaults, ...headers }, { endStream: false });
      let received: IncomingHttpHeaders = {};
      stream.on('response', (headers) => {
        received = { ...received, ...headers };
      });
      stream.on('trailers', (trailers) => {
        received = { ...received, ...trailers };
      });
      stream.on('error', () => {});
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.end(body);
      await once(stream, 'close');
      const code = received['grpc-status'];
      return {
        httpStatus: Number(received[':status']),
        code: code === undefined ? undefined : Number(code),
        message: decodeOrKeep(String(received['grpc-message'] ?? '')),
        headers: received,
        body: Buffer.concat(chunks),
      };
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      await closed;
    },
  };
}

/** Frames a message for gRPC: a flag, the length, the bytes. */
export function grpcFrame(message: Uint8Array, { compressed = false, length = message.length } = {}): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(compressed ? 1 : 0, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}
