import { connect } from 'node:http2';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';

export interface Reply<Output extends DescMessage> {
  /** Undefined unless the status is OK. */
  readonly response: MessageShape<Output> | undefined;
  /** `grpc-retry-pushback-ms` of a call that was rejected by overload. */
  readonly pushbackMs: number;
}

/** Makes unary calls over one connection. */
export interface Http2Caller extends Disposable {
  call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
  ): Promise<Reply<Output>>;
}

/** The prefix of a gRPC message: a flag and the length. */
const framePrefixBytes = 5;

/** Connects a caller that consists of node:http2 only, because a caller shares the cores with what it measures. */
export function connectHttp2Caller(target: string, token: string): Http2Caller {
  const session = connect(`http://${target}`);
  const headers = {
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '2S',
    authorization: `Bearer ${token}`,
  };
  return {
    call: (method, request) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ...headers, ':path': methodPath(method) });
        let body: Buffer | undefined;
        let status: unknown;
        let pushbackMs = 0;
        const readStatus = (received: Record<string, unknown>) => {
          status ??= received['grpc-status'];
          pushbackMs = Number(received['grpc-retry-pushback-ms'] ?? pushbackMs);
        };
        stream.on('response', readStatus);
        stream.on('trailers', readStatus);
        stream.on('data', (chunk: Buffer) => {
          body = body ? Buffer.concat([body, chunk]) : chunk;
        });
        stream.on('error', reject);
        stream.on('close', () => {
          const isOk = status === '0' && body !== undefined;
          const response = isOk
            ? fromBinary(method.output, (body as Buffer).subarray(framePrefixBytes))
            : undefined;
          resolve({ response, pushbackMs });
        });
        stream.end(grpcFrame(toBinary(method.input, create(method.input, request))));
      }),
    [Symbol.dispose]: () => session.close(),
  };
}
