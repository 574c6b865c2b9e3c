// The suite's server on the public API of @acme/rpc: on its gRPC port, or on its web port for Connect and gRPC-Web.
import { readEnvironment } from '@acme/rpc/config';
import { Code, RpcError } from '@acme/rpc/errors';
import { type CallContext, type Interceptor, readServerConfig, serve, startService } from '@acme/rpc/server';
import { pino } from 'pino';
import { Protocol } from '../gen/connectrpc/conformance/v1/config_pb.ts';
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from '../gen/connectrpc/conformance/v1/server_compat_pb.ts';
import { ConformanceService } from '../gen/connectrpc/conformance/v1/service_pb.ts';
import {
  bidiStream,
  clientStream,
  DefinedError,
  idempotentUnary,
  type ServedCall,
  serverStream,
  unary,
} from './conformance-service.ts';
import { addHeaders, toHeaders } from './headers.ts';
import { readSizedMessages, writeSizedMessage } from './sized-messages.ts';
import { writePems } from './tls-folder.ts';

/** Deadline of calls without a client deadline. No case of the suite takes longer. */
const deadlineMs = 30_000;

/** The deadline that each caller sent. The context has the deadline that the server granted, which is never absent. */
const callerDeadlines = new WeakMap<CallContext, number>();

const recordCallerDeadline: Interceptor = (next) => async (call) => {
  if (call.callerDeadlineAtMs !== undefined) callerDeadlines.set(call, call.callerDeadlineAtMs);
  await next(call);
};

function servedCall(context: CallContext): ServedCall {
  return {
    requestHeaders: toHeaders(context.requestMetadata),
    timeoutMs: () => {
      const deadlineAtMs = callerDeadlines.get(context);
      return deadlineAtMs === undefined ? undefined : deadlineAtMs - Date.now();
    },
    setResponseMetadata: (headers, trailers) => {
      addHeaders(context.responseHeaders, headers);
      addHeaders(context.responseTrailers, trailers);
    },
    sendHeaders: context.sendHeaders,
  };
}

const unimplemented = async () => {
  throw new RpcError(Code.UNIMPLEMENTED, 'the suite requires this method not to be served');
};

const service = serve(ConformanceService, {
  unary: (request, context) => unary(request, servedCall(context)),
  clientStream: (requests, context) => clientStream(requests, servedCall(context)),
  serverStream: (request, context) => serverStream(request, servedCall(context)),
  bidiStream: (requests, context) => bidiStream(requests, servedCall(context)),
  unimplemented,
  idempotentUnary: (request, context) => idempotentUnary(request, servedCall(context)),
});

function environmentOf({ useTls, serverCreds, clientTlsCert }: ServerCompatRequest): Record<string, string> {
  const plain = { NODE_ENV: 'test', LISTEN_ADDRESS: '127.0.0.1:0', WEB_LISTEN_ADDRESS: '127.0.0.1:0' };
  if (!useTls || !serverCreds) return plain;
  const isMutual = clientTlsCert.length > 0;
  const files = writePems({ cert: serverCreds.cert, key: serverCreds.key, ca: clientTlsCert });
  const tls = { TLS_CERT: files.cert, TLS_KEY: files.key };
  return isMutual
    ? { ...plain, ...tls, TLS_MODE: 'mtls', TLS_CA: files.ca }
    : { ...plain, ...tls, TLS_MODE: 'tls' };
}

for await (const request of readSizedMessages(ServerCompatRequestSchema, process.stdin)) {
  const environment = readEnvironment(environmentOf(request));
  const config = readServerConfig(environment, '127.0.0.1:0', { auth: 'optional' });
  environment.check();
  const { port, webPort = 0 } = await startService({
    config,
    log: pino({ level: 'silent' }),
    services: [service],
    policies: {
      [ConformanceService.typeName]: {
        deadlineMs,
        scopes: [],
        ...(request.messageReceiveLimit && { maxRequestBytes: request.messageReceiveLimit }),
      },
    },
    errorMap: (error) =>
      error instanceof DefinedError
        ? new RpcError(error.code, error.message, { details: error.details })
        : undefined,
    interceptors: [recordCallerDeadline],
    checkReadiness: async () => {},
  });
  writeSizedMessage(ServerCompatResponseSchema, {
    host: '127.0.0.1',
    port: request.protocol === Protocol.GRPC ? port : webPort,
    ...(request.useTls && request.serverCreds && { pemCert: request.serverCreds.cert }),
  });
}
