import { setTimeout as sleep } from 'node:timers/promises';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  type ClientStreamRequest,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type Error as ErrorDefinition,
  type Header,
  type IdempotentUnaryRequest,
  IdempotentUnaryRequestSchema,
  type ServerStreamRequest,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  type UnaryRequest,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from '../gen/connectrpc/conformance/v1/service_pb.ts';

/** The parts of a call that the suite's service needs, for any library that serves it. */
export interface ServedCall {
  readonly requestHeaders: readonly Pick<Header, 'name' | 'value'>[];
  /** Time until the caller's deadline; undefined if it sent none. */
  timeoutMs(): number | undefined;
  setResponseMetadata(headers: readonly Header[], trailers: readonly Header[]): void;
  sendHeaders(): void;
}

/** The error that a test case defines, with its details. */
export class DefinedError extends Error {
  readonly code: number;
  readonly details: readonly Any[];

  constructor({ code, message, details }: ErrorDefinition, requestInfo?: ConformancePayload_RequestInfo) {
    super(message ?? '');
    this.code = code;
    this.details = requestInfo
      ? [...details, anyPack(ConformancePayload_RequestInfoSchema, requestInfo)]
      : details;
  }
}

interface Response {
  readonly payload: MessageInitShape<typeof ConformancePayloadSchema>;
}

/** Answers as the request defines it (connectrpc.conformance.v1.ConformanceService.Unary). */
export function unary(request: UnaryRequest, call: ServedCall): Promise<Response> {
  return respondOnce(request.responseDefinition, packAll(UnaryRequestSchema, [request]), call);
}

/** As `unary`, for the method that the suite calls by GET. */
export function idempotentUnary(request: IdempotentUnaryRequest, call: ServedCall): Promise<Response> {
  return respondOnce(request.responseDefinition, packAll(IdempotentUnaryRequestSchema, [request]), call);
}

export async function clientStream(
  requests: AsyncIterable<ClientStreamRequest>,
  call: ServedCall,
): Promise<Response> {
  const received: ClientStreamRequest[] = [];
  for await (const request of requests) received.push(request);
  return respondOnce(received[0]?.responseDefinition, packAll(ClientStreamRequestSchema, received), call);
}

export async function* serverStream(
  request: ServerStreamRequest,
  call: ServedCall,
): AsyncGenerator<Response, void> {
  const { responseDefinition: definition } = request;
  if (!definition) return;
  start(definition, call);
  yield* respondWithAll(definition, packAll(ServerStreamRequestSchema, [request]), call, 0);
}

export async function* bidiStream(
  requests: AsyncIterable<BidiStreamRequest>,
  call: ServedCall,
): AsyncGenerator<Response, void> {
  let definition: StreamResponseDefinition | undefined;
  let isFirst = true;
  let isFullDuplex = false;
  let responseCount = 0;
  let unanswered: BidiStreamRequest[] = [];
  for await (const request of requests) {
    unanswered.push(request);
    if (isFirst) {
      isFirst = false;
      definition = request.responseDefinition;
      isFullDuplex = request.fullDuplex;
      if (definition) start(definition, call);
    }
    if (!isFullDuplex) continue;
    const data = definition?.responseData[responseCount];
    if (!definition || data === undefined) break;
    const info = requestInfo(
      packAll(BidiStreamRequestSchema, unanswered),
      responseCount === 0 ? call : undefined,
    );
    await sleep(definition.responseDelayMs);
    yield { payload: { data, requestInfo: info } };
    responseCount++;
    unanswered = [];
  }
  if (definition)
    yield* respondWithAll(definition, packAll(BidiStreamRequestSchema, unanswered), call, responseCount);
}

async function respondOnce(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  call: ServedCall,
): Promise<Response> {
  const info = requestInfo(requests, call);
  if (!definition) return { payload: { requestInfo: info } };
  call.setResponseMetadata(definition.responseHeaders, definition.responseTrailers);
  await sleep(definition.responseDelayMs);
  const { response } = definition;
  if (response.case === 'error') throw new DefinedError(response.value, info);
  return {
    payload: { requestInfo: info, ...(response.case === 'responseData' && { data: response.value }) },
  };
}

function start(definition: StreamResponseDefinition, call: ServedCall): void {
  call.setResponseMetadata(definition.responseHeaders, definition.responseTrailers);
  call.sendHeaders();
}

/** Sends the responses from `first` on, then the error of the definition. */
async function* respondWithAll(
  definition: StreamResponseDefinition,
  requests: Any[],
  call: ServedCall,
  first: number,
): AsyncGenerator<Response, void> {
  let responseCount = first;
  for (const data of definition.responseData.slice(first)) {
    await sleep(definition.responseDelayMs);
    yield { payload: { data, ...(responseCount === 0 && { requestInfo: requestInfo(requests, call) }) } };
    responseCount++;
  }
  const { error } = definition;
  if (error) throw new DefinedError(error, responseCount === 0 ? requestInfo(requests, call) : undefined);
}

/** Describes the requests, and with `call` also their headers and timeout. */
function requestInfo(requests: Any[], call?: ServedCall): ConformancePayload_RequestInfo {
  const timeoutMs = call?.timeoutMs();
  return create(ConformancePayload_RequestInfoSchema, {
    requests,
    ...(call && { requestHeaders: call.requestHeaders.map(({ name, value }) => ({ name, value })) }),
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.max(0, Math.round(timeoutMs))) }),
  });
}

function packAll<Desc extends DescMessage>(schema: Desc, messages: readonly MessageShape<Desc>[]): Any[] {
  return messages.map((message) => anyPack(schema, message));
}
