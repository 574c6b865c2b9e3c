import { experimental } from '@grpc/grpc-js';
import { validateServiceConfig } from '@grpc/grpc-js/build/src/service-config.js';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { serviceConfigOf } from './service-config.ts';

const id = '0198c0de-0000-7000-8000-000000000001';
const farDeadline = { deadlineMs: 60_000 };

/** A server that fails every call with the code, and records the numbers of previous attempts: undefined, `1`, `2`. */
async function startFailing(code: Code) {
  const attempts: (string | undefined)[] = [];
  const fail = (
    _request: unknown,
    { metadata }: { metadata: (key: string) => string | undefined },
  ): never => {
    attempts.push(metadata('grpc-previous-rpc-attempts'));
    throw new RpcError(code, 'not now');
  };
  const server = await startTestServer(EchoService, {
    getEcho: fail,
    putEchoes: fail,
    watchEchoes: fail,
    importEchoes: fail,
    exchangeEchoes: fail,
  });
  return { ...server, attempts };
}

type Failing = Awaited<ReturnType<typeof startFailing>>;
const retried: Record<string, (server: Failing) => Promise<unknown>> = {
  'GetEcho, which has no side effects': ({ client }) => client.getEcho({ key: 'A' }, farDeadline),
  'PutEchoes, which is idempotent': ({ client }) =>
    client.putEchoes({ requestId: id, items: [{ key: 'A', count: 1 }] }, farDeadline),
  'WatchEchoes, a stream of responses': ({ client }) => Array.fromAsync(client.watchEchoes({}, farDeadline)),
  'ImportEchoes, a stream of requests': ({ client }) =>
    client.importEchoes([{ echo: { key: 'A' } }], farDeadline),
};

test.each(Object.entries(retried))('%s is tried three times while it is UNAVAILABLE', async (_name, call) => {
  await using server = await startFailing(Code.UNAVAILABLE);
  expect(await rejectionOf(call(server))).toMatchObject({ code: Code.UNAVAILABLE, message: 'not now' });
  expect(server.attempts).toEqual([undefined, '1', '2']);
});

test('ExchangeEchoes, which is not marked as safe to repeat, is tried once', async () => {
  await using server = await startFailing(Code.UNAVAILABLE);
  const error = await rejectionOf(Array.fromAsync(server.client.exchangeEchoes([{ key: 'A' }], farDeadline)));
  expect(error.code).toBe(Code.UNAVAILABLE);
  expect(server.attempts).toEqual([undefined]);
});

const otherCodes = Object.values(Code).filter(
  (code) => typeof code === 'number' && code !== Code.OK && code !== Code.UNAVAILABLE,
) as Code[];

test.each(otherCodes.map((code) => [Code[code], code] as const))('%s is not retried', async (_name, code) => {
  await using server = await startFailing(code);
  expect((await rejectionOf(server.client.getEcho({ key: 'A' }, farDeadline))).code).toBe(code);
  expect(server.attempts).toEqual([undefined]);
});

test('a call that is answered on its second attempt succeeds', async () => {
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      if (++attempts === 1) throw new RpcError(Code.UNAVAILABLE, 'not now');
      return { echo: { key: 'A' } };
    },
  });
  expect(await server.client.getEcho({ key: 'A' }, farDeadline)).toMatchObject({ echo: { key: 'A' } });
});

test('the service config lists every method that is safe to repeat and no other', () => {
  const { methodConfig } = JSON.parse(serviceConfigOf(EchoService));
  expect(methodConfig[0].name.map(({ method }: { method: string }) => method)).toEqual([
    'GetEcho',
    'ListEchoes',
    'PutEchoes',
    'BatchPutEchoes',
    'WatchEchoes',
    'ImportEchoes',
  ]);
  expect(methodConfig[0].retryPolicy).toMatchObject({
    maxAttempts: 3,
    retryableStatusCodes: ['UNAVAILABLE'],
  });
});

test.each([
  ['round_robin', {}],
  ['peak_ewma', { balancing: 'peak_ewma' as const }],
  ['hedging', { hedging: { methods: ['getEcho' as const], attempts: 5, delayMs: 1 } }],
])('grpc-js reads every part of the service config with %s', (_name, options) => {
  const config = JSON.parse(serviceConfigOf(EchoService, options));
  // grpc-js throws for an invalid part, and omits parts that it does not know.
  expect(validateServiceConfig(config)).toEqual(config);
  const [balancing] = config.loadBalancingConfig;
  expect(experimental.parseLoadBalancingConfig(balancing).toJsonObject()).toEqual(balancing);
});
