import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_RPC_CLIENT_CALL_DURATION,
} from '@opentelemetry/semantic-conventions';
import { describe, expect, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { serverAttributes } from '../../telemetry/call-telemetry.ts';
import { callOutcomes, runInNewTraces, startOutcomeStage } from '../../testing/call-outcomes.ts';
import { callsOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { collectTelemetry } from '../../testing/telemetry/collect-telemetry.ts';
import { inNewTrace } from '../../testing/telemetry/in-new-trace.ts';
import { createClient } from '../create-client.ts';

const isClients = ({ kind }: ReadableSpan) => kind === SpanKind.CLIENT;
describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test.each(callOutcomes)(
    '$name is one span, one measurement, and the parent of the span on the server',
    async (outcome) => {
      await using telemetry = collectTelemetry();
      await using stage = await startOutcomeStage();
      const caller = await runInNewTraces(outcome, call, stage);

      const traceId = caller.traceId;
      const [span, ...others] = await telemetry.spansOf(traceId, SpanKind.CLIENT);
      const served = await telemetry.spansOf(traceId, SpanKind.SERVER);
      const isError = outcome.code !== Code.OK;
      const attributes = {
        [ATTR_RPC_SYSTEM_NAME]: 'grpc',
        [ATTR_RPC_METHOD]: expect.stringMatching(/^testing\.v1\.EchoService\/[A-Z]\w+$/),
        [ATTR_RPC_STATUS_CODE]: Code[outcome.code],
        ...(isError && { [ATTR_ERROR_TYPE]: Code[outcome.code] }),
        [ATTR_SERVER_ADDRESS]: '127.0.0.1',
        [ATTR_SERVER_PORT]: stage.running.port,
      };
      expect(others).toEqual([]);
      expect(span).toMatchObject({
        ended: true,
        name: span?.attributes[ATTR_RPC_METHOD],
        parentSpanContext: { spanId: caller.spanId },
        status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      });
      expect(span?.attributes).toEqual(attributes);
      expect(served).toMatchObject([{ parentSpanContext: { spanId: span?.spanContext().spanId } }]);
      expect(await telemetry.points(METRIC_RPC_CLIENT_CALL_DURATION)).toMatchObject([
        { attributes, value: { count: telemetry.spans.filter(isClients).length } },
      ]);
    },
  );
});

test.each(['watchEchoes', 'exchangeEchoes'] as const)(
  'a stream of %s whose reader stops is CANCELLED on both sides, without an error',
  async (method) => {
    await using telemetry = collectTelemetry();
    await using stage = await startOutcomeStage();
    stage.serveWith(async function* () {
      yield { resumeToken: 'first', key: 'first' };
      await new Promise<never>(() => {});
    });
    const { caller, result } = inNewTrace(async () => {
      const messages =
        method === 'watchEchoes' ? stage.client.watchEchoes({}) : stage.client.exchangeEchoes([]);
      for await (const _message of messages) break;
    });
    await result;
    const [span] = await telemetry.spansOf(caller.traceId, SpanKind.CLIENT);
    expect(span?.attributes[ATTR_RPC_STATUS_CODE]).toBe('CANCELLED');
    expect(span?.attributes).not.toHaveProperty(ATTR_ERROR_TYPE);
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(await telemetry.spansOf(caller.traceId, SpanKind.SERVER)).toMatchObject([
      { attributes: { [ATTR_RPC_STATUS_CODE]: 'CANCELLED' } },
    ]);
  },
);

test('an abandoned stream ends at its deadline', async () => {
  await using telemetry = collectTelemetry();
  await using stage = await startOutcomeStage();
  stage.serveWith(async function* () {
    yield { resumeToken: 'first' };
    await new Promise<never>(() => {});
  });
  const changes = stage.client.watchEchoes({}, { deadlineMs: 500 });
  const { caller, result } = inNewTrace(() => changes.next());
  expect((await result).value).toMatchObject({ resumeToken: 'first' });
  const [span] = await telemetry.spansOf(caller.traceId, SpanKind.CLIENT);
  const outcome = { [ATTR_RPC_STATUS_CODE]: 'DEADLINE_EXCEEDED', [ATTR_ERROR_TYPE]: 'DEADLINE_EXCEEDED' };
  expect(span).toMatchObject({ attributes: outcome, status: { code: SpanStatusCode.ERROR } });
  // Even if the reader returns to it.
  await changes.return();
  expect(await telemetry.points(METRIC_RPC_CLIENT_CALL_DURATION)).toMatchObject([
    { attributes: outcome, value: { count: 1 } },
  ]);
});

test('a stream that is never read makes no call', async () => {
  await using telemetry = collectTelemetry();
  await using stage = await startOutcomeStage();
  await stage.client.watchEchoes({}).return();
  expect(telemetry.spans).toEqual([]);
  expect(await telemetry.points(METRIC_RPC_CLIENT_CALL_DURATION)).toEqual([]);
});

test('a failing source of requests is recorded by the class of its error', async () => {
  await using telemetry = collectTelemetry();
  await using stage = await startOutcomeStage();
  stage.serveWith(() => new Promise(() => {}));
  const failing = async function* (): AsyncGenerator<{ importId: string }> {
    yield { importId: '1' };
    throw new RangeError('the scanner is broken');
  };
  await expect(stage.client.importEchoes(failing())).rejects.toThrow(RangeError);
  expect(telemetry.spans.filter(isClients)).toMatchObject([
    {
      attributes: { [ATTR_RPC_STATUS_CODE]: 'UNKNOWN', [ATTR_ERROR_TYPE]: 'RangeError' },
      status: { code: SpanStatusCode.ERROR },
    },
  ]);
});

test('attempts are one call of the client, and one span each on the server', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      throw new RpcError(Code.UNAVAILABLE, 'try again');
    },
  });
  const { caller, result } = inNewTrace(() => server.client.getEcho({ key: 'A' }));
  await rejectionOf(result);
  const [span, ...others] = await telemetry.spansOf(caller.traceId, SpanKind.CLIENT);
  const served = await telemetry.spansOf(caller.traceId, SpanKind.SERVER, 3);
  expect(others).toEqual([]);
  expect(span?.attributes['previous-rpc-attempts']).toBe(2);
  expect(served.map(({ attributes }) => attributes['previous-rpc-attempts'])).toEqual([undefined, 1, 2]);
});

test.each([
  ['dns:///echo:50052', 'echo', 50052],
  ['dns://8.8.8.8/echo.shop.svc:50052', 'echo.shop.svc', 50052],
  ['dns:echo:50052', 'echo', 50052],
  ['localhost:50052', 'localhost', 50052],
  ['127.0.0.1:50052', '127.0.0.1', 50052],
  ['ipv6:[::1]:50052', '::1', 50052],
  ['echo', 'echo', undefined],
  ['unix:/run/x.sock', '/run/x.sock', undefined],
  ['unix:///run/x.sock', '/run/x.sock', undefined],
])('the target %s has the address %s and port %s', (target, address, port) => {
  expect(serverAttributes(target)).toEqual({
    [ATTR_SERVER_ADDRESS]: address,
    ...(port !== undefined && { [ATTR_SERVER_PORT]: port }),
  });
});

test('a stream without a deadline has the duration of its reading', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, {});
  const policies = { [Health.typeName]: { deadlineMs: Number.POSITIVE_INFINITY, scopes: [] } };
  using client = createClient(Health, { target: server.target, policies });
  const responses = client.watch({ service: 'liveness' });
  await responses.next();
  // Node fires a timer of an infinite time after 1 ms, before this one.
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(telemetry.spans.filter(isClients)).toMatchObject([{ ended: false }]);
  await responses.return();
  expect(telemetry.spans.filter(isClients)).toMatchObject([
    { attributes: { [ATTR_RPC_STATUS_CODE]: 'CANCELLED' }, status: { code: SpanStatusCode.UNSET } },
  ]);
});

test("an error of a call's own callback is UNKNOWN with its type", async () => {
  await using telemetry = collectTelemetry();
  await using stage = await startOutcomeStage();
  stage.serveWith(() => []);
  const onTrailers = () => {
    throw new RangeError('the checksum differs');
  };
  await expect(stage.client.getEcho({ key: 'A' }, { onTrailers })).rejects.toThrow(RangeError);
  expect(telemetry.spans.filter(isClients)).toMatchObject([
    { attributes: { [ATTR_RPC_STATUS_CODE]: 'UNKNOWN', [ATTR_ERROR_TYPE]: 'RangeError' } },
  ]);
});
