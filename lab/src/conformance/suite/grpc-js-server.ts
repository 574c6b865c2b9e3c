// The suite's server on grpc-js alone: the yardstick of the server on @acme/rpc.
import { StatusSchema } from '@acme/rpc/gen/google/rpc/status_pb';
import { create, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type StatusObject,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from '../gen/connectrpc/conformance/v1/server_compat_pb.ts';
import { ConformanceService } from '../gen/connectrpc/conformance/v1/service_pb.ts';
import {
  bidiStream,
  clientStream,
  DefinedError,
  type ServedCall,
  serverStream,
  unary,
} from './conformance-service.ts';
import { addHeaders, toHeaders } from './headers.ts';
import { readSizedMessages, writeSizedMessage } from './sized-messages.ts';

/** A call of any kind. One without a stream of requests has its request. */
type AnyCall = ServerDuplexStream<Message, Message> & { request?: Message };

function methodDefinition({
  name,
  input,
  output,
  methodKind,
}: DescMethod): MethodDefinition<Message, Message> {
  return {
    path: `/${ConformanceService.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: (message) => Buffer.from(toBinary(input, message)),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(output, create(output, message))),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

const { unary: unaryMethod, clientStream: clientStreamMethod } = ConformanceService.method;
const { serverStream: serverStreamMethod, bidiStream: bidiStreamMethod } = ConformanceService.method;
const served = [unaryMethod, clientStreamMethod, serverStreamMethod, bidiStreamMethod];

function servedCall(call: AnyCall) {
  const headers = new Metadata();
  const trailers = new Metadata();
  const deadline = call.getDeadline();
  const sendHeaders = () => call.sendMetadata(headers);
  const servedCall: ServedCall = {
    requestHeaders: toHeaders(call.metadata),
    timeoutMs: () => (Number.isFinite(Number(deadline)) ? Number(deadline) - Date.now() : undefined),
    setResponseMetadata: (responseHeaders, responseTrailers) => {
      addHeaders(headers, responseHeaders);
      addHeaders(trailers, responseTrailers);
    },
    sendHeaders,
  };
  return { servedCall, sendHeaders, trailers };
}

function toStatus(error: unknown, metadata: Metadata): StatusObject {
  if (!(error instanceof DefinedError)) {
    const known = error as Partial<StatusObject> & Error;
    return { code: known.code ?? status.UNKNOWN, details: known.details ?? known.message, metadata };
  }
  const { code, message, details } = error;
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [...details] }));
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code, details: message, metadata };
}

function single(respond: (request: never, call: ServedCall) => Promise<unknown>) {
  return async (call: AnyCall, callback: sendUnaryData<Message>) => {
    const { servedCall: served, sendHeaders, trailers } = servedCall(call);
    try {
      const response = await respond((call.request ?? call) as never, served);
      sendHeaders();
      callback(null, response as Message, trailers);
    } catch (error) {
      sendHeaders();
      callback(toStatus(error, trailers));
    }
  };
}

function stream(respond: (request: never, call: ServedCall) => AsyncIterable<unknown>) {
  return async (call: AnyCall) => {
    const { servedCall: served, trailers } = servedCall(call);
    try {
      const requests = call.request ?? call.iterator({ destroyOnReturn: false });
      for await (const response of respond(requests as never, served)) call.write(response as Message);
      call.end(trailers);
    } catch (error) {
      call.emit('error', toStatus(error, trailers));
    }
  };
}

const definition = Object.fromEntries(served.map((method) => [method.localName, methodDefinition(method)]));
const implementation = {
  unary: single(unary),
  clientStream: single(clientStream),
  serverStream: stream(serverStream),
  bidiStream: stream(bidiStream),
};

for await (const request of readSizedMessages(ServerCompatRequestSchema, process.stdin)) {
  const { messageReceiveLimit, useTls, serverCreds, clientTlsCert } = request;
  const server = new Server(
    messageReceiveLimit ? { 'grpc.max_receive_message_length': messageReceiveLimit } : {},
  );
  server.addService(definition, implementation as unknown as UntypedServiceImplementation);
  const credentials =
    useTls && serverCreds
      ? ServerCredentials.createSsl(
          clientTlsCert.length > 0 ? Buffer.from(clientTlsCert) : null,
          [{ cert_chain: Buffer.from(serverCreds.cert), private_key: Buffer.from(serverCreds.key) }],
          clientTlsCert.length > 0,
        )
      : ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  writeSizedMessage(ServerCompatResponseSchema, {
    host: '127.0.0.1',
    port,
    ...(useTls && serverCreds && { pemCert: serverCreds.cert }),
  });
}
