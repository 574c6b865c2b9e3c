import { expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { healthStatus } from '../client/health/check-health.ts';
import { Code } from '../errors/rpc-error.ts';
import { Health } from '../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { PingService } from '../testing/gen/testing/v1/ping_service_pb.ts';
import { EchoService as EchoServiceV2 } from '../testing/gen/testing/v2/echo_service_pb.ts';
import { openReflection } from '../testing/reflection-client.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { type ServedService, serve } from './served-service.ts';
import { startServer } from './start-server.ts';

/** The domain of both versions of the service. Version 1 cannot express the language. */
const stored = { key: 'A', text: 'hallo', language: 'de' };

const echoesV2 = serve(EchoServiceV2, {
  getEcho: async () => ({ text: stored.text, language: stored.language }),
});

/** Serves version 1 and version 2 of EchoService from one server. */
async function startBothVersions(options: Parameters<typeof startTestServer>[2] = {}) {
  return startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key, text: stored.text } }) },
    { ...options, otherServices: [echoesV2] },
  );
}

test('two versions of a service are served from one server, each with its own messages', async () => {
  await using server = await startBothVersions();
  using clientV2 = createClient(EchoServiceV2, { target: server.target, token: () => 'test-token' });
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { text: 'hallo' } });
  expect(await clientV2.getEcho({ key: 'A' })).toMatchObject({ text: 'hallo', language: 'de' });
});

test('each service has its own policies and validation', async () => {
  const served: [string, number][] = [];
  await using server = await startBothVersions({
    modifyChain: (chain) => [
      ...chain,
      (next) => (call) => {
        served.push([call.method.name, call.method.policy.deadlineMs]);
        return next(call);
      },
    ],
  });
  using clientV2 = createClient(EchoServiceV2, { target: server.target, token: () => 'test-token' });
  expect(await rejectionOf(clientV2.getEcho({ key: '' }))).toMatchObject({ code: Code.INVALID_ARGUMENT });
  await server.client.getEcho({ key: 'A' });
  await clientV2.getEcho({ key: 'A' });
  expect(served).toEqual([
    ['testing.v1.EchoService/GetEcho', 1000],
    ['testing.v2.EchoService/GetEcho', 3000],
  ]);
});

test('health reports each service, and reflection lists each', async () => {
  await using server = await startBothVersions({ reflection: true });
  server.running.setReady(true);
  for (const { typeName: service } of [EchoService, EchoServiceV2])
    expect(await healthStatus(server.target, { service })).toBe('SERVING');
  using reflection = openReflection(server.target, ServerReflection);
  const { value } = await reflection.ask({ case: 'listServices', value: '' });
  expect(value.service).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: EchoService.typeName }),
      expect.objectContaining({ name: EchoServiceV2.typeName }),
    ]),
  );
});

/** Starts a server that is expected to be rejected. */
async function start(services: readonly ServedService[], reflection = false) {
  const { log } = collectLog();
  const server = await startServer({
    address: '127.0.0.1:0',
    services,
    chain: () => [],
    log,
    reflection,
  });
  await server.drain({ pauseMs: 0, timeoutMs: 0 });
}

test('every missing handler of a service is named in one error', () => {
  const some = { getEcho: async () => ({}), putEchoes: async () => ({}), watchEchoes: undefined } as never;
  expect(() => serve(EchoService, some)).toThrow(
    'testing.v1.EchoService: no handler for listEchoes, batchPutEchoes, watchEchoes, importEchoes, exchangeEchoes',
  );
});

test('handlers are typed by their service', () => {
  serve(PingService, {
    ping: async (request, { principal }) => {
      request.$typeName satisfies 'testing.v1.PingRequest';
      principal.subject satisfies string;
      return {};
    },
  });
  // @ts-expect-error a response of another type
  serve(PingService, { ping: async () => ({ text: 'pong' }) });
  // @ts-expect-error no handler
  expect(() => serve(PingService, {})).toThrow('testing.v1.PingService: no handler for ping');
});

test('the handlers of a class instance are found, and called on it', async () => {
  class Pings {
    count = 0;
    async ping() {
      this.count++;
      return {};
    }
  }
  const pings = new Pings();
  await using server = await startTestServer(EchoService, {}, { otherServices: [serve(PingService, pings)] });
  using client = createClient(PingService, { target: server.target, token: () => 'test-token' });
  await client.ping({});
  expect(pings.count).toBe(1);
});

test('a service that is listed twice is rejected', async () => {
  await expect(start([echoesV2, echoesV2])).rejects.toThrow(
    'testing.v2.EchoService is listed twice in the services of the server',
  );
});

test('a service that the server adds itself is rejected', async () => {
  const unserved = async () => ({});
  const health = serve(Health, { check: unserved, list: unserved, watch: async function* () {} });
  const reflection = serve(ServerReflection, { serverReflectionInfo: async function* () {} });
  const message = (name: string) => `the server adds ${name} itself: leave it out of its services`;
  await expect(start([health])).rejects.toThrow(message(Health.typeName));
  await expect(start([reflection], true)).rejects.toThrow(message(ServerReflection.typeName));
});
