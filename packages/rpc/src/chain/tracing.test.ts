import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_CLIENT_PORT,
  ATTR_ERROR_TYPE,
  ATTR_EXCEPTION_MESSAGE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_RPC_SERVER_CALL_DURATION,
} from '@opentelemetry/semantic-conventions';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { callOutcomes, runInNewTraces, startOutcomeStage } from '../testing/call-outcomes.ts';
import { callsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { inNewTrace } from '../testing/telemetry/in-new-trace.ts';

/** The errors of a server, by the semantic conventions. */
const faults = [Code.DEADLINE_EXCEEDED, Code.INTERNAL];

const listEchoes = methodPath(EchoService.method.listEchoes);
const emptyFrame = grpcFrame(Buffer.alloc(0));

/** The trace context that a plain HTTP/2 call sends (W3C Trace Context). */
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const [, traceId, parentSpanId] = traceparent.split('-') as [string, string, string, string];

const isServers = ({ kind }: ReadableSpan) => kind === SpanKind.SERVER;

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test.each(callOutcomes)(
    "$name is one span in the caller's trace, and one measurement, with the code that was sent",
    async (outcome) => {
      await using telemetry = collectTelemetry();
      await using stage = await startOutcomeStage();
      const caller = await runInNewTraces(outcome, call, stage);

      const spans = await telemetry.spansOf(caller.traceId, SpanKind.SERVER);
      const name = spans[0]?.name;
      // The log has the same code, because logging uses the same error map.
      const code = stage.logLines.findLast(({ msg }) => msg === 'call')?.code as keyof typeof Code;
      const isFault = faults.includes(Code[code]);
      expect(outcome.serverCodes).toContain(Code[code]);
      expect(spans).toHaveLength(1);
      expect(spans[0]).toMatchObject({
        name: expect.stringMatching(/^testing\.v1\.EchoService\/[A-Z]\w+$/),
        ended: true,
        status: { code: isFault ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      });
      expect(spans[0]?.attributes).toEqual({
        [ATTR_RPC_SYSTEM_NAME]: 'grpc',
        [ATTR_RPC_METHOD]: name,
        [ATTR_RPC_STATUS_CODE]: code,
        ...(isFault && { [ATTR_ERROR_TYPE]: code }),
        [ATTR_CLIENT_ADDRESS]: '127.0.0.1',
        [ATTR_CLIENT_PORT]: expect.any(Number),
        [ATTR_SERVER_ADDRESS]: '127.0.0.1',
        [ATTR_SERVER_PORT]: stage.running.port,
      });
      const measured = telemetry.spans.filter(
        ({ kind, attributes }) => kind === SpanKind.SERVER && attributes[ATTR_RPC_STATUS_CODE] === code,
      );
      expect(await telemetry.points(METRIC_RPC_SERVER_CALL_DURATION)).toContainEqual(
        expect.objectContaining({
          attributes: {
            [ATTR_RPC_SYSTEM_NAME]: 'grpc',
            [ATTR_RPC_METHOD]: name,
            [ATTR_RPC_STATUS_CODE]: code,
            ...(isFault && { [ATTR_ERROR_TYPE]: code }),
          },
          value: expect.objectContaining({ count: measured.length }),
        }),
      );
    },
  );

  test('the spans of its handler are children of its span', async () => {
    await using telemetry = collectTelemetry();
    await using stage = await startOutcomeStage();
    stage.serveWith(() => {
      trace.getTracer('test').startSpan('SELECT').end();
      return [];
    });
    const { caller, result } = inNewTrace(() => call(stage.client));
    await result;
    const [span] = await telemetry.spansOf(caller.traceId, SpanKind.SERVER);
    const [query] = await telemetry.spansOf(caller.traceId, SpanKind.INTERNAL);
    expect(query?.parentSpanContext?.spanId).toBe(span?.spanContext().spanId);
  });
});

test("the caller's W3C trace context is continued, and the log lines contain the trace id", async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await using connection = await connectRaw(server.target);
  await connection.post(listEchoes, emptyFrame, { traceparent });
  const [span] = await telemetry.spansOf(traceId, SpanKind.SERVER);
  expect(span?.parentSpanContext).toMatchObject({ spanId: parentSpanId, isRemote: true });
  expect(server.logLines).toMatchObject([{ msg: 'call', trace_id: traceId }]);
});

describe('an untrusted caller', () => {
  const untrusted = { traceContext: 'peers' } as const;

  test('an untrusted caller gets a trace of its own that links to the trace it sent', async () => {
    await using telemetry = collectTelemetry();
    await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) }, untrusted);
    await using connection = await connectRaw(server.target);
    await connection.post(listEchoes, emptyFrame, { traceparent, tracestate: 'vendor=canary' });
    const [span] = telemetry.spans.filter(isServers);
    expect(span?.spanContext().traceId).not.toBe(traceId);
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.links).toMatchObject([{ context: { traceId, spanId: parentSpanId } }]);
    expect(span?.links[0]?.context.traceState).toBeUndefined();
    expect(server.logLines).toMatchObject([{ msg: 'call', trace_id: span?.spanContext().traceId }]);
  });

  test.each([
    ['peers', 0],
    ['all', 1],
  ] as const)(
    'an untrusted caller does not make the service record: %s records %i spans',
    async (traceContext, recorded) => {
      vi.stubEnv('OTEL_TRACES_SAMPLER', 'parentbased_always_off');
      onTestFinished(() => void vi.unstubAllEnvs());
      await using telemetry = collectTelemetry();
      await using server = await startTestServer(
        EchoService,
        { listEchoes: async () => ({}) },
        { traceContext },
      );
      await using connection = await connectRaw(server.target);
      await connection.post(listEchoes, emptyFrame, { traceparent });
      expect(telemetry.spans.filter(isServers)).toHaveLength(recorded);
    },
  );

  test.each([
    ['peers', undefined],
    ['all', 'user=anna'],
  ] as const)(
    'the baggage of an untrusted caller is forwarded to no service: %s forwards %s',
    async (traceContext, forwarded) => {
      await using _telemetry = collectTelemetry();
      const baggage: unknown[] = [];
      await using below = await startTestServer(EchoService, {
        getEcho: async (_request, { metadata }) => {
          baggage.push(metadata('baggage'));
          return {};
        },
      });
      await using server = await startTestServer(
        EchoService,
        {
          listEchoes: async () => {
            await below.client.getEcho({ key: 'A' });
            return {};
          },
        },
        { traceContext },
      );
      await using connection = await connectRaw(server.target);
      await connection.post(listEchoes, emptyFrame, { traceparent, baggage: 'user=anna' });
      expect(baggage).toEqual([forwarded]);
    },
  );

  test.each([
    ['traceparent', 'x'.repeat(8_000)],
    ['traceparent', `${traceparent}-${'x'.repeat(8_000)}`],
    ['tracestate', 'a=b,'.repeat(2_000)],
    ['baggage', 'a=b,'.repeat(2_000)],
    ['baggage', '%%%;;;==,,'],
  ])('an untrusted caller is served when its %s is oversized or malformed', async (name, value) => {
    await using telemetry = collectTelemetry();
    await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) }, untrusted);
    await using connection = await connectRaw(server.target);
    const { code } = await connection.post(listEchoes, emptyFrame, { traceparent, [name]: value });
    expect(code).toBe(Code.OK);
    expect(telemetry.spans.filter(isServers)).toMatchObject([{ ended: true, parentSpanContext: undefined }]);
  });
});

test.each([
  ['echo.shop.svc:50052', 'echo.shop.svc', 50052],
  ['x'.repeat(1000), 'x'.repeat(261), undefined],
])('the span names the server as its caller does: %s', async (authority, address, port) => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await using connection = await connectRaw(server.target);
  await connection.post(listEchoes, emptyFrame, { ':authority': authority, traceparent });
  const [span] = await telemetry.spansOf(traceId, SpanKind.SERVER);
  expect(span?.attributes[ATTR_SERVER_ADDRESS]).toBe(address);
  expect(span?.attributes[ATTR_SERVER_PORT]).toBe(port);
});

test.each(['', 'garbage', '00-00000000000000000000000000000000-b7ad6b7169203331-01'])(
  'the trace context %o is replaced by a new trace',
  async (context) => {
    await using telemetry = collectTelemetry();
    await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
    await using connection = await connectRaw(server.target);
    const { code } = await connection.post(listEchoes, emptyFrame, { traceparent: context });
    expect(code).toBe(Code.OK);
    expect(telemetry.spans).toMatchObject([{ ended: true, parentSpanContext: undefined }]);
  },
);

test('a call that the server ends at its deadline is one span with an error', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { listEchoes: () => new Promise(() => {}) });
  await using connection = await connectRaw(server.target);
  // Unlike a client of `createClient`, this one waits for the server's status.
  const { code } = await connection.post(listEchoes, emptyFrame, { 'grpc-timeout': '20m', traceparent });
  expect(code).toBe(Code.DEADLINE_EXCEEDED);
  expect(await telemetry.spansOf(traceId, SpanKind.SERVER)).toMatchObject([
    {
      attributes: { [ATTR_RPC_STATUS_CODE]: 'DEADLINE_EXCEEDED', [ATTR_ERROR_TYPE]: 'DEADLINE_EXCEEDED' },
      status: { code: SpanStatusCode.ERROR },
    },
  ]);
});

test('the cause of an internal error is recorded, and no other error', async () => {
  await using telemetry = collectTelemetry();
  const errors: unknown[] = [
    new Error('the disk is gone'),
    new RpcError(Code.NOT_FOUND, 'no A'),
    'a string',
    { code: Code.NOT_FOUND },
    new RpcError(Code.INTERNAL, 'said so itself'),
  ];
  await using server = await startTestServer(EchoService, {
    listEchoes: async () => {
      throw errors.shift();
    },
  });
  const recorded: unknown[] = [];
  while (errors.length > 0) {
    const { caller, result } = inNewTrace(() => server.client.listEchoes({}));
    await rejectionOf(result);
    const [span] = await telemetry.spansOf(caller.traceId, SpanKind.SERVER);
    recorded.push(span?.events.map(({ attributes }) => attributes?.[ATTR_EXCEPTION_MESSAGE]));
  }
  expect(recorded).toEqual([['the disk is gone'], [], ['a string'], ['a thrown object'], ['said so itself']]);
});

test('a domain error is recorded with the code that the map gives it', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(
    EchoService,
    {
      listEchoes: async () => {
        throw new RangeError('no such page');
      },
    },
    { errorMap: (error) => (error instanceof RangeError ? new RpcError(Code.OUT_OF_RANGE, '') : undefined) },
  );
  await rejectionOf(server.client.listEchoes({}));
  expect(telemetry.spans.filter(isServers)).toMatchObject([
    { attributes: { [ATTR_RPC_STATUS_CODE]: 'OUT_OF_RANGE' }, status: { code: SpanStatusCode.UNSET } },
  ]);
});

test('a request that cannot be decoded is traced and measured', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await using connection = await connectRaw(server.target);
  const { code } = await connection.post(listEchoes, grpcFrame(Buffer.from('\x0a\xff')), { traceparent });
  expect(code).toBe(Code.INTERNAL);
  const spans = await telemetry.spansOf(traceId, SpanKind.SERVER);
  expect(spans).toMatchObject([{ attributes: { [ATTR_RPC_STATUS_CODE]: 'INTERNAL' } }]);
  expect(await telemetry.points(METRIC_RPC_SERVER_CALL_DURATION)).toMatchObject([
    { attributes: { [ATTR_RPC_STATUS_CODE]: 'INTERNAL' }, value: { count: 1 } },
  ]);
});
