import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { unescape as decodeOrKeep } from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';
import { grpcFrame } from '@acme/rpc/testing';
import { create, type DescMethod, type MessageInitShape, toBinary } from '@bufbuild/protobuf';

/** An HTTP/2 connection to a replica, without retries, balancing or reconnection. */
export interface Connection extends Disposable {
  readonly session: ClientHttp2Session;
  /** Starts a call with these bytes as its body. On a closed connection, the call has no status. */
  call(path: string, body: Uint8Array, options?: CallOptions): OpenCall;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly headers?: OutgoingHttpHeaders;
  /** Whether to half-close the stream after the body. Default true. */
  readonly ends?: boolean;
}

export interface OpenCall {
  /** Undefined if the connection was closed. */
  readonly stream: ClientHttp2Stream | undefined;
  /** Resolves when the stream is closed. Never rejects. */
  readonly answered: Promise<Answer>;
}

export interface Answer {
  /** The gRPC status code; undefined if the stream ended without one. */
  readonly code: number | undefined;
  readonly message: string;
  /** The received messages with their gRPC frames. */
  readonly body: Buffer;
}

const memoryLimitMb = 4000;
const withoutStatus: Answer = { code: undefined, message: '', body: Buffer.alloc(0) };

/**
 * Connects to a port of this machine.
 *
 * @param initialWindowBytes SETTINGS_INITIAL_WINDOW_SIZE; with 0 the server may send no message.
 */
export function connectGrpc(port: number, { initialWindowBytes = 1024 * 1024 } = {}): Connection {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: initialWindowBytes, enablePush: false },
    maxSessionMemory: memoryLimitMb,
  });
  session.on('error', () => {});
  session.setMaxListeners(0);
  return {
    session,
    call: (path, body, options) => startCall(session, path, body, options),
    [Symbol.dispose]: () => session.destroy(),
  };
}

export function startCall(
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  { token, headers, ends = true }: CallOptions = {},
): OpenCall {
  if (session.destroyed || session.closed)
    return { stream: undefined, answered: Promise.resolve(withoutStatus) };
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  });
  const answered = answerOf(stream);
  if (body.length > 0) stream.write(body);
  if (ends) stream.end();
  return { stream, answered };
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let answer = withoutStatus;
  const chunks: Buffer[] = [];
  const read = (headers: Record<string, unknown>) => {
    const code = headers['grpc-status'];
    if (code !== undefined)
      answer = {
        ...answer,
        code: Number(code),
        message: decodeOrKeep(String(headers['grpc-message'] ?? '')),
      };
  };
  stream.on('response', read);
  stream.on('trailers', read);
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) =>
    stream.on('close', () => resolve({ ...answer, body: Buffer.concat(chunks) })),
  );
}

/** Waits for the answer of a call. After the timeout, the call is reset and has no status. */
export async function answerWithin({ stream, answered }: OpenCall, timeoutMs: number): Promise<Answer> {
  const given = new AbortController();
  const late = sleep(timeoutMs, withoutStatus, { signal: given.signal }).catch(() => withoutStatus);
  const answer = await Promise.race([answered, late]);
  given.abort();
  if (answer === withoutStatus) stream?.close(8);
  return answer;
}

/** Encodes a request with its gRPC frame. */
export function requestOf<Method extends DescMethod>(
  { input }: Method,
  request: MessageInitShape<Method['input']>,
): Buffer {
  return grpcFrame(toBinary(input, create(input, request)));
}

/** Yields the messages of a response as they arrive. Returns at the end of the stream, even after an error. */
export async function* messagesOf(stream: ClientHttp2Stream | undefined): AsyncGenerator<Buffer, void> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of stream ?? []) {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const sizeBytes = rest.length < 5 ? Infinity : 5 + rest.readUInt32BE(1);
        if (rest.length < sizeBytes) break;
        yield rest.subarray(5, sizeBytes);
        rest = rest.subarray(sizeBytes);
      }
    }
  } catch {
    // The answer of the call has the status.
  }
}
