import { ChannelCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { createTestCertificates } from '../../testing/certificates/test-certificates.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { collectLog } from '../../testing/telemetry/collect-log.ts';
import { channelCredentials } from '../../tls/channel-credentials.ts';
import { serverCredentials } from '../../tls/server-credentials.ts';
import { createClient } from '../create-client.ts';
import type { TokenSource } from '../credentials/token-source.ts';

const token = () => 'token';

const failingSources: readonly (readonly [string, TokenSource, Code, Code])[] = [
  ['fails', () => Promise.reject(new Error('no key')), Code.UNAUTHENTICATED, Code.INTERNAL],
  [
    'throws at once',
    () => {
      throw new Error('no key');
    },
    Code.UNAUTHENTICATED,
    Code.INTERNAL,
  ],
  [
    'says that it is UNAVAILABLE',
    () => Promise.reject(new RpcError(Code.UNAVAILABLE, 'no key')),
    Code.UNAVAILABLE,
    Code.UNAVAILABLE,
  ],
];

test.each(failingSources)(
  'a token source that %s fails the call, without blaming the caller of this service',
  async (_name, token, code, codeAbove) => {
    let served = false;
    await using bottom = await startTestServer(EchoService, {
      listEchoes: async () => {
        served = true;
        return {};
      },
    });
    using client = createClient(EchoService, { target: bottom.target, token });
    expect(await rejectionOf(client.listEchoes({}))).toMatchObject({
      code,
      message: 'no token for the call: no key',
      calledMethod: 'testing.v1.EchoService/ListEchoes',
    });
    await using top = await startTestServer(EchoService, {
      getEcho: async () => {
        await client.listEchoes({});
        return {};
      },
    });
    expect((await rejectionOf(top.client.getEcho({ key: 'A' }, { deadlineMs: 60_000 }))).code).toBe(
      codeAbove,
    );
    expect(served).toBe(false);
  },
);

test.each([
  ['a string', 'no key', 'no key'],
  ['nothing', undefined, 'its source threw a value that is not an error'],
  ['an object without a prototype', Object.create(null), 'its source threw a value that is not an error'],
  ['a symbol', Symbol('no key'), 'its source threw a value that is not an error'],
])('a token source that throws %s fails the call, and nothing crashes', async (_name, thrown, reason) => {
  using crashes = recordCrashes();
  const sources: TokenSource[] = [
    () => {
      throw thrown;
    },
    () => Promise.reject(thrown),
  ];
  for (const source of sources) {
    using client = createClient(EchoService, { target: '127.0.0.1:1', token: source });
    const message = `no token for the call: ${reason}`;
    expect(await rejectionOf(client.listEchoes({}))).toMatchObject({ code: Code.UNAUTHENTICATED, message });
  }
  expect(crashes.reasons).toEqual([]);
});

test.each([
  ['with a line break', 'secret\n'],
  ['with a character other than ASCII', 'secret-ü'],
  ['with a space', 'secret secret'],
  ['that is empty', ''],
  ['of 9,000 characters', 'secret'.repeat(1500)],
  ['that is not a string', { secret: true } as unknown as string],
])('a token %s fails the call as UNAUTHENTICATED and is not shown', async (_name, token) => {
  for (const source of [() => token, async () => token]) {
    using client = createClient(EchoService, { target: '127.0.0.1:1', token: source });
    const error = await rejectionOf(client.listEchoes({}));
    expect(error).toMatchObject({
      code: Code.UNAUTHENTICATED,
      message: 'no token for the call: the source returned one that is empty, too long or not printable',
    });
  }
});

test('a token may be sent anywhere over TLS, and only to this machine without encryption', () => {
  const target = 'echo:50052';
  createClient(EchoService, { target, token, credentials: ChannelCredentials.createSsl() })[Symbol.dispose]();
  const credentials = ChannelCredentials.createInsecure();
  expect(() => createClient(EchoService, { target, token, credentials })).toThrow('in plain text');
});

test('clients share a connection over TLS if they share their credentials', async () => {
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('echo');
  const options = { developmentCertificates: false, log: collectLog().log };
  const shared = await channelCredentials(tls, options);
  const peers: string[] = [];
  await using server = await startTestServer(
    EchoService,
    {
      listEchoes: async (_request, { peer }) => {
        peers.push(peer);
        return {};
      },
    },
    { credentials: { server: await serverCredentials(tls, options), channel: shared } },
  );
  const { target } = server;
  using same = createClient(EchoService, { target, token, credentials: shared });
  const own = await channelCredentials(tls, options);
  using other = createClient(EchoService, { target, token, credentials: own });
  for (const client of [server.client, same, other]) await client.listEchoes({});
  const [first, second, third] = peers;
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});
