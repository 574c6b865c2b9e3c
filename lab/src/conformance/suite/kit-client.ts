// The suite's client on the public API of @acme/rpc.
import { type CallOptions, channelCredentials, createClient } from '@acme/rpc/client';
import { RpcError } from '@acme/rpc/errors';
import type { Message } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import type { Metadata } from '@grpc/grpc-js';
import { pino } from 'pino';
import type { ClientCompatRequest } from '../gen/connectrpc/conformance/v1/client_compat_pb.ts';
import { Compression } from '../gen/connectrpc/conformance/v1/config_pb.ts';
import { ConformanceService } from '../gen/connectrpc/conformance/v1/service_pb.ts';
import { type ConformanceClient, onlyRequest, type RequestedCall, runClient } from './conformance-calls.ts';
import { toHeaders, toRecord } from './headers.ts';
import { writePems } from './tls-folder.ts';

/** A method of a client, whatever its kind. */
type AnyMethod<Request, Response> = (request: Request, options: CallOptions) => Response;

async function clientOf(request: ClientCompatRequest): Promise<ConformanceClient> {
  const client = createClient(ConformanceService, {
    target: `${request.host}:${request.port}`,
    credentials: await credentialsOf(request),
    ...(request.messageReceiveLimit && { maxResponseBytes: request.messageReceiveLimit }),
    ...(request.compression === Compression.GZIP && { compression: 'gzip' as const }),
    policies: { [ConformanceService.typeName]: { deadlineMs: Number.POSITIVE_INFINITY, scopes: [] } },
  });
  return {
    call: async function* (call) {
      using methods = client;
      const method: unknown = methods[call.method.localName as keyof typeof methods];
      yield* responsesOf(method, call);
    },
    toError,
  };
}

async function* responsesOf(method: unknown, call: RequestedCall): AsyncGenerator<Message, void> {
  const options: CallOptions = {
    signal: call.signal,
    metadata: toRecord(call.headers),
    onHeaders: (headers: Metadata) => call.onHeaders(toHeaders(headers)),
    onTrailers: (trailers: Metadata) => call.onTrailers(toHeaders(trailers)),
    ...(call.timeoutMs !== undefined && { deadlineMs: call.timeoutMs }),
  };
  switch (call.method.methodKind) {
    case 'unary':
      yield await (method as AnyMethod<Message, Promise<Message>>)(await onlyRequest(call), options);
      break;
    case 'client_streaming':
      yield await (method as AnyMethod<AsyncIterable<Message>, Promise<Message>>)(call.requests, options);
      break;
    case 'server_streaming':
      yield* (method as AnyMethod<Message, AsyncIterable<Message>>)(await onlyRequest(call), options);
      break;
    case 'bidi_streaming':
      yield* (method as AnyMethod<AsyncIterable<Message>, AsyncIterable<Message>>)(call.requests, options);
  }
}

async function credentialsOf({ serverTlsCert, clientTlsCreds }: ClientCompatRequest) {
  if (serverTlsCert.length === 0) return undefined;
  const { ca, cert, key } = writePems({
    ca: serverTlsCert,
    cert: clientTlsCreds?.cert ?? new Uint8Array(),
    key: clientTlsCreds?.key ?? new Uint8Array(),
  });
  const files = { caFile: ca, certFile: cert, keyFile: key };
  return await channelCredentials(
    { mode: clientTlsCreds ? 'mtls' : 'tls', ...files },
    { developmentCertificates: false, log: pino({ level: 'silent' }) },
  );
}

function toError(error: unknown) {
  if (!(error instanceof RpcError)) throw error;
  return { code: error.code, message: error.message, details: error.details.flatMap(toAny) };
}

function toAny(detail: Message): Any[] {
  return detail.$typeName === AnySchema.typeName ? [detail as Any] : [];
}

await runClient(clientOf);
