import { setTimeout as sleep } from 'node:timers/promises';
import { createRegistry, type DescMethod, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  type ClientResponseResultSchema,
} from '../gen/connectrpc/conformance/v1/client_compat_pb.ts';
import { StreamType } from '../gen/connectrpc/conformance/v1/config_pb.ts';
import {
  type ConformancePayload,
  ConformanceService,
  type ErrorSchema,
  file_connectrpc_conformance_v1_service,
  type Header,
} from '../gen/connectrpc/conformance/v1/service_pb.ts';
import { readSizedMessages, writeSizedMessage } from './sized-messages.ts';

export type HeaderValues = Pick<Header, 'name' | 'value'>;

/** A call that a test case requires. */
export interface RequestedCall {
  readonly method: DescMethod;
  readonly requests: AsyncIterable<Message>;
  readonly headers: readonly Header[];
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  onHeaders(headers: HeaderValues[]): void;
  onTrailers(trailers: HeaderValues[]): void;
}

/** A client of the suite's service, on the library under test. */
export interface ConformanceClient {
  /** Makes a call of any kind. Returns its responses, and throws if it fails. */
  call(call: RequestedCall): AsyncIterable<Message>;
  /** Converts what `call` threw. */
  toError(error: unknown): MessageInitShape<typeof ErrorSchema>;
}

/** Time limit of a call, below that of the suite: a call that hangs would end the whole run. */
const maxCallMs = 10_000;
/** Maximum number of calls at a time. Most of them wait for timers. */
const maxConcurrentCalls = 8;
const registry = createRegistry(file_connectrpc_conformance_v1_service);

/** Makes the calls that the suite requests on stdin, and writes their results to stdout. */
export async function runClient(
  clientOf: (request: ClientCompatRequest) => ConformanceClient | Promise<ConformanceClient>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const request of readSizedMessages(ClientCompatRequestSchema, process.stdin)) {
    const run = report(clientOf, request).finally(() => running.delete(run));
    running.add(run);
    if (running.size >= maxConcurrentCalls) await Promise.race(running);
  }
  await Promise.all(running);
  // Idle connections would keep the process alive.
  process.exit(0);
}

async function report(
  clientOf: (request: ClientCompatRequest) => ConformanceClient | Promise<ConformanceClient>,
  request: ClientCompatRequest,
): Promise<void> {
  const { testName } = request;
  try {
    const value = await Promise.race([resultOf(await clientOf(request), request), failLate()]);
    writeSizedMessage(ClientCompatResponseSchema, { testName, result: { case: 'response', value } });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    writeSizedMessage(ClientCompatResponseSchema, {
      testName,
      result: { case: 'error', value: { message } },
    });
  }
}

async function failLate(): Promise<never> {
  await sleep(maxCallMs, undefined, { ref: false });
  throw new Error(`the call did not end within ${maxCallMs} ms`);
}

type Result = MessageInitShape<typeof ClientResponseResultSchema>;

async function resultOf(client: ConformanceClient, request: ClientCompatRequest): Promise<Result> {
  const { cancel, method: name, requestMessages } = request;
  const method = ConformanceService.methods.find((each) => each.name === name);
  if (!method) throw new Error(`unknown method ${name}`);
  const abort = new AbortController();
  const received: ConformancePayload[] = [];
  let responseHeaders: HeaderValues[] = [];
  let responseTrailers: HeaderValues[] = [];
  let sentCount = 0;
  let onResponse = Promise.withResolvers<void>();
  const isFullDuplex = request.streamType === StreamType.FULL_DUPLEX_BIDI_STREAM;
  const timing = cancel?.cancelTiming;

  const requests = async function* (): AsyncGenerator<Message, void> {
    for (const packed of requestMessages) {
      const message = anyUnpack(packed, registry);
      if (!message) throw new Error(`unknown request ${packed.typeUrl}`);
      await sleep(request.requestDelayMs);
      sentCount++;
      yield message;
      if (isFullDuplex) await onResponse.promise;
      onResponse = Promise.withResolvers();
    }
    if (timing?.case === 'beforeCloseSend') {
      abort.abort();
      // Ends the requests only when the call has ended.
      await new Promise(() => {});
    } else if (cancel && timing?.case !== 'afterNumResponses')
      setTimeout(() => abort.abort(), timing?.case === 'afterCloseSendMs' ? timing.value : 0);
  };

  let error: Result['error'];
  try {
    const responses = client.call({
      method,
      requests: requests(),
      headers: request.requestHeaders,
      timeoutMs: request.timeoutMs,
      signal: abort.signal,
      onHeaders: (headers) => (responseHeaders = headers),
      onTrailers: (trailers) => (responseTrailers = trailers),
    });
    for await (const response of responses) {
      const { payload } = response as Message & { payload?: ConformancePayload };
      received.push(
        payload ?? { $typeName: 'connectrpc.conformance.v1.ConformancePayload', data: new Uint8Array() },
      );
      if (timing?.case === 'afterNumResponses' && received.length === timing.value) abort.abort();
      onResponse.resolve();
    }
  } catch (thrown) {
    error = client.toError(thrown);
  }
  return {
    responseHeaders,
    responseTrailers,
    payloads: received,
    numUnsentRequests: requestMessages.length - sentCount,
    ...(error && { error }),
  };
}

/** Returns the single request of a unary or server-streaming call. */
export async function onlyRequest({ requests }: RequestedCall): Promise<Message> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw new Error('the test case has no request');
  // Runs what follows the request: a timer that cancels the call.
  void iterator.next();
  return first.value;
}
