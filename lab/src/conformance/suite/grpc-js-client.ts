// The suite's client on grpc-js alone: the yardstick of the client on @acme/rpc.
import { StatusSchema } from '@acme/rpc/gen/google/rpc/status_pb';
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  type ClientWritableStream,
  compressionAlgorithms,
  credentials,
  type Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { ClientCompatRequest } from '../gen/connectrpc/conformance/v1/client_compat_pb.ts';
import { Compression } from '../gen/connectrpc/conformance/v1/config_pb.ts';
import { ConformanceService } from '../gen/connectrpc/conformance/v1/service_pb.ts';
import { type ConformanceClient, onlyRequest, type RequestedCall, runClient } from './conformance-calls.ts';
import { toHeaders, toMetadata } from './headers.ts';

function clientOf(request: ClientCompatRequest): ConformanceClient {
  const { serverTlsCert, clientTlsCreds, messageReceiveLimit } = request;
  const channelCredentials =
    serverTlsCert.length > 0
      ? credentials.createSsl(
          Buffer.from(serverTlsCert),
          clientTlsCreds ? Buffer.from(clientTlsCreds.key) : null,
          clientTlsCreds ? Buffer.from(clientTlsCreds.cert) : null,
        )
      : credentials.createInsecure();
  const client = new Client(`${request.host}:${request.port}`, channelCredentials, {
    // Node 26 rejects a TLS server name that is an address. The suite's certificate is for localhost too.
    ...(serverTlsCert.length > 0 && { 'grpc.ssl_target_name_override': 'localhost' }),
    ...(messageReceiveLimit && { 'grpc.max_receive_message_length': messageReceiveLimit }),
    ...(request.compression === Compression.GZIP && {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    }),
  });
  return {
    call: async function* (call) {
      try {
        yield* callOn(client, call);
      } finally {
        client.close();
      }
    },
    toError,
  };
}

async function* callOn(client: Client, call: RequestedCall): AsyncGenerator<Message, void> {
  const { method, timeoutMs } = call;
  const path = `/${ConformanceService.typeName}/${method.name}`;
  const encode = (message: Message) => Buffer.from(toBinary(method.input, message));
  const decode = (bytes: Buffer) => fromBinary(method.output, bytes);
  const metadata = toMetadata(call.headers);
  const options: CallOptions = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const settle = (error: ServiceError | null, response?: Message) =>
    error ? reject(error) : resolve(response as Message);
  switch (method.methodKind) {
    case 'unary': {
      const request = await onlyRequest(call);
      watch(client.makeUnaryRequest(path, encode, decode, request, metadata, options, settle), call);
      yield await promise;
      return;
    }
    case 'client_streaming': {
      const stream = client.makeClientStreamRequest(path, encode, decode, metadata, options, settle);
      watch(stream, call);
      void write(stream, call);
      yield await promise;
      return;
    }
    case 'server_streaming': {
      const request = await onlyRequest(call);
      const stream = client.makeServerStreamRequest(path, encode, decode, request, metadata, options);
      yield* read(stream, call);
      return;
    }
    case 'bidi_streaming': {
      const stream = client.makeBidiStreamRequest(path, encode, decode, metadata, options);
      void write(stream, call);
      yield* read(stream, call);
    }
  }
}

interface Watched {
  cancel(): void;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: { metadata: Metadata }) => void): unknown;
}

function watch(stream: Watched, call: RequestedCall): void {
  stream.on('metadata', (metadata) => call.onHeaders(toHeaders(metadata)));
  stream.on('status', ({ metadata }) => call.onTrailers(toHeaders(metadata)));
  if (call.signal.aborted) stream.cancel();
  else call.signal.addEventListener('abort', () => stream.cancel());
}

async function write(stream: ClientWritableStream<Message>, call: RequestedCall): Promise<void> {
  for await (const request of call.requests) stream.write(request);
  stream.end();
}

/** Reads by events: the stream's async iterator drops the messages before an error that it has buffered. */
async function* read(
  stream: ClientReadableStream<Message>,
  call: RequestedCall,
): AsyncGenerator<Message, void> {
  const received: Message[] = [];
  let isEnded = false;
  let error: ServiceError | undefined;
  let changed = Promise.withResolvers<void>();
  watch(stream, call);
  stream.on('data', (message: Message) => {
    received.push(message);
    changed.resolve();
  });
  stream.on('error', (thrown: ServiceError) => {
    error = thrown;
  });
  stream.on('status', () => {
    isEnded = true;
    changed.resolve();
  });
  while (!isEnded || received.length > 0) {
    const message = received.shift();
    if (message) yield message;
    else {
      await changed.promise;
      changed = Promise.withResolvers();
    }
  }
  // grpc-js emits the error after the status.
  await new Promise((resolve) => setImmediate(resolve));
  if (error) throw error;
}

function toError(error: unknown) {
  const { code = status.UNKNOWN, details = String(error), metadata } = error as Partial<ServiceError>;
  const encoded = metadata?.get('grpc-status-details-bin')[0];
  return {
    code,
    message: details,
    details: encoded instanceof Uint8Array ? fromBinary(StatusSchema, encoded).details : [],
  };
}

await runClient(clientOf);
