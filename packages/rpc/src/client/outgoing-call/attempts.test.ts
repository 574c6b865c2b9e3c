import { createNoopMeter, type Meter, metrics } from '@opentelemetry/api';
import { expect, onTestFinished, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

/** Collects the measurements of histograms until the end of the test. */
function collectMeasurements() {
  const measured: unknown[] = [];
  const createHistogram: Meter['createHistogram'] = (name) => ({
    record: (value, attributes) => measured.push({ name, value, attributes }),
  });
  metrics.setGlobalMeterProvider({
    getMeter: () => Object.assign(Object.create(createNoopMeter()), { createHistogram }),
  });
  onTestFinished(() => metrics.disable());
  return (name: string) => measured.filter((each) => (each as { name: string }).name === name);
}

/** A server that fails the first attempts, and a server whose GetEcho calls it. */
async function startTwo(failures: number, call: (typeof callsOfEachKind)[number][1]) {
  let attempts = 0;
  const bottom = await startTestServer(
    EchoService,
    handlerOfEachKind(() => {
      if (++attempts <= failures) throw new RpcError(Code.UNAVAILABLE, 'not now');
      return [];
    }),
  );
  const top = await startTestServer(EchoService, {
    getEcho: async () => {
      await call(bottom.client, { deadlineMs: 60_000 });
      return {};
    },
  });
  const stack = new AsyncDisposableStack();
  stack.use(bottom);
  stack.use(top);
  return { client: top.client, logLines: top.logLines, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const retriedKinds = callsOfEachKind.filter(([kind]) => kind !== 'bidi streaming');

test.each(retriedKinds)('the log and the metrics show the attempts of a %s call', async (_kind, call) => {
  const measured = collectMeasurements();
  await using services = await startTwo(1, call);
  await services.client.getEcho(
    { key: 'A' },
    { deadlineMs: 60_000, metadata: { 'x-request-id': 'order-17' } },
  );
  const name = /^testing\.v1\.EchoService\/\w+Echo(es)?$/;
  const line = services.logLines.find(({ msg }) => msg === 'call retried');
  expect(line).toMatchObject({ attempts: 2, code: 'OK', request_id: 'order-17' });
  expect(line?.method).toMatch(name);
  expect(measured('grpc.client.call.retries')).toEqual([
    { name: 'grpc.client.call.retries', value: 1, attributes: { 'grpc.method': line?.method } },
  ]);
});

test('a call that fails after its retries is recorded with its last code and all attempts', async () => {
  const [, unary] = callsOfEachKind[0] ?? [];
  if (!unary) throw new Error('there is no unary call');
  await using services = await startTwo(3, unary);
  await services.client.getEcho({ key: 'A' }, { deadlineMs: 60_000 }).catch(() => {});
  const retried = services.logLines.filter(({ msg }) => msg === 'call retried');
  expect(retried[0]).toMatchObject({ attempts: 3, code: 'UNAVAILABLE' });
});

test('a call that is answered at its first attempt is not recorded', async () => {
  const measured = collectMeasurements();
  const [, unary] = callsOfEachKind[0] ?? [];
  if (!unary) throw new Error('there is no unary call');
  await using services = await startTwo(0, unary);
  await services.client.getEcho({ key: 'A' });
  expect(services.logLines.map(({ msg }) => msg)).toEqual(['call']);
  expect(measured('grpc.client.call.retries')).toEqual([]);
});

test('calls outside of a served call are retried too', async () => {
  using crashes = recordCrashes();
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      if (++attempts === 1) throw new RpcError(Code.UNAVAILABLE, 'not now');
      return { echo: { text: 'the second' } };
    },
  });
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { text: 'the second' } });
  await server.client.getEcho({ key: 'A' });
  expect(crashes.reasons).toEqual([]);
});
