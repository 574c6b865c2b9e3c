import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';
import { serviceConfigOf } from './service-config.ts';

const token = () => 'test-token';
const hedging = { methods: ['getEcho'], attempts: 3, delayMs: 1 } as const;

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

test('a hedged call is sent several times, its first answer is returned, and the others are cancelled', async () => {
  const signals: AbortSignal[] = [];
  await using server = await startTestServer(EchoService, {
    getEcho: async (_request, { signal }) => {
      signals.push(signal);
      if (signals.length === 3) return { echo: { text: 'the third' } };
      return new Promise(() => {});
    },
  });
  using client = createClient(EchoService, { target: server.target, token, hedging });
  const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 60_000 });
  expect(echo?.text).toBe('the third');
  for (const signal of signals.slice(0, 2)) {
    await untilAborted(signal);
    expect(signal.reason).toMatchObject({ code: Code.CANCELLED });
  }
  expect(signals).toHaveLength(3);
});

test('a hedged call passes on the headers and trailers of its first answer only', async () => {
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async (_request, { responseHeaders, responseTrailers }) => {
      const attempt = ++attempts;
      if (attempt === 1) return new Promise(() => {});
      responseHeaders.set('x-attempt', String(attempt));
      responseTrailers.set('x-attempt', String(attempt));
      return {};
    },
  });
  using client = createClient(EchoService, { target: server.target, token, hedging });
  const seen: unknown[] = [];
  await client.getEcho(
    { key: 'A' },
    {
      deadlineMs: 60_000,
      waitForReady: true,
      metadata: { 'x-many': ['a', 'b'], 'x-one-bin': Buffer.of(1) },
      onHeaders: (headers) => seen.push(['headers', headers.get('x-attempt').length]),
      onTrailers: (trailers) => seen.push(['trailers', trailers.get('x-attempt').length]),
    },
  );
  expect(seen).toEqual([
    ['headers', 1],
    ['trailers', 1],
  ]);
});

test('a hedged call that is answered before the delay is sent once', async () => {
  let calls = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      calls++;
      return {};
    },
  });
  const slowHedging = { ...hedging, delayMs: 60_000 };
  using client = createClient(EchoService, { target: server.target, token, hedging: slowHedging });
  await client.getEcho({ key: 'A' });
  expect(calls).toBe(1);
});

test('the call continues after an UNAVAILABLE attempt, and another error ends it', async () => {
  let attempts = 0;
  const codes = [Code.UNAVAILABLE, Code.UNAVAILABLE, Code.NOT_FOUND];
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      throw new RpcError(codes[attempts++] ?? Code.OK, 'not here');
    },
  });
  using client = createClient(EchoService, { target: server.target, token, hedging });
  expect((await rejectionOf(client.getEcho({ key: 'A' }))).code).toBe(Code.NOT_FOUND);
  expect(attempts).toBe(3);
});

test('the other methods of a client that hedges are retried', async () => {
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    listEchoes: async () => {
      attempts++;
      throw new RpcError(Code.UNAVAILABLE, 'not now');
    },
  });
  using client = createClient(EchoService, { target: server.target, token, hedging });
  await rejectionOf(client.listEchoes({}));
  expect(attempts).toBe(3);
});

test.each([
  ['putEchoes', 'testing.v1.EchoService/PutEchoes, which is idempotent'],
  ['exchangeEchoes', 'testing.v1.EchoService/ExchangeEchoes, which is not marked'],
] as const)('%s cannot be hedged, because it is not NO_SIDE_EFFECTS', (method, name) => {
  const [fullName] = name.split(',');
  expect(() => serviceConfigOf(EchoService, { hedging: { ...hedging, methods: [method] } })).toThrow(
    `${fullName} cannot be hedged: the contract does not mark it as NO_SIDE_EFFECTS`,
  );
});

test.each([
  ['one attempt', { attempts: 1 }, 'hedging.attempts must be a whole number from 2 to 5'],
  [
    'more attempts than grpc-js makes',
    { attempts: 6 },
    'hedging.attempts must be a whole number from 2 to 5',
  ],
  ['no delay', { delayMs: 0 }, 'hedging.delayMs must be at least 1'],
  ['a delay that is not a number', { delayMs: Number.NaN }, 'hedging.delayMs must be at least 1'],
])('hedging with %s is rejected', (_name, wrong, message) => {
  const config = () => serviceConfigOf(EchoService, { hedging: { ...hedging, ...wrong } });
  expect(config).toThrow(message);
});
