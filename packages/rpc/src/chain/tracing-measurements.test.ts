import { SpanKind } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { ATTR_RPC_METHOD, METRIC_RPC_SERVER_CALL_DURATION } from '@opentelemetry/semantic-conventions';
import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { inNewTrace } from '../testing/telemetry/in-new-trace.ts';

const listEchoes = methodPath(EchoService.method.listEchoes);
const emptyFrame = grpcFrame(Buffer.alloc(0));
test('calls in flight are counted, and measured in seconds when they end', async () => {
  await using telemetry = collectTelemetry();
  const entered = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await using server = await startTestServer(EchoService, {
    listEchoes: async () => {
      entered.resolve();
      await released.promise;
      return {};
    },
  });
  const startMs = performance.now();
  const answer = server.client.listEchoes({});
  await entered.promise;
  const attributes = { [ATTR_RPC_METHOD]: 'testing.v1.EchoService/ListEchoes' };
  expect(await telemetry.points('rpc.server.active_calls')).toMatchObject([{ attributes, value: 1 }]);
  expect(await telemetry.points(METRIC_RPC_SERVER_CALL_DURATION)).toEqual([]);
  released.resolve();
  await answer;
  const atMostS = (performance.now() - startMs) / 1000;
  expect(await telemetry.points('rpc.server.active_calls')).toMatchObject([{ attributes, value: 0 }]);
  const [{ value } = {}] = await telemetry.points(METRIC_RPC_SERVER_CALL_DURATION);
  expect(value).toMatchObject({
    count: 1,
    buckets: {
      boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    },
  });
  expect((value as Histogram).sum).toBeLessThanOrEqual(atMostS);
});

test('a repeated attempt is visible in its span, its log lines and a counter', async () => {
  await using telemetry = collectTelemetry();
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      if (++attempts === 1) throw new RpcError(Code.UNAVAILABLE, 'try again');
      return {};
    },
  });
  const { caller, result } = inNewTrace(() => server.client.getEcho({ key: 'A' }));
  await result;
  const spans = await telemetry.spansOf(caller.traceId, SpanKind.SERVER, 2);
  expect(spans.map(({ attributes }) => attributes['previous-rpc-attempts'])).toEqual([undefined, 1]);
  expect(server.logLines.map(({ code, previous_attempts }) => [code, previous_attempts])).toEqual([
    ['UNAVAILABLE', undefined],
    ['OK', 1],
  ]);
  expect(await telemetry.points('rpc.server.call.retries')).toMatchObject([
    { attributes: { [ATTR_RPC_METHOD]: 'testing.v1.EchoService/GetEcho' }, value: 1 },
  ]);
});

test.each(['-1', '1e9', '12345'])('%o previous attempts are ignored', async (header) => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await using connection = await connectRaw(server.target);
  await connection.post(listEchoes, emptyFrame, { 'grpc-previous-rpc-attempts': header });
  expect(telemetry.spans[0]?.attributes).not.toHaveProperty('previous-rpc-attempts');
  expect(await telemetry.points('rpc.server.call.retries')).toEqual([]);
});
