import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { expect, test } from 'vitest';
import type { Principal } from '../call/call-context.ts';
import { methodPath } from '../call/method-name.ts';
import { createClient } from '../client/create-client.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createTestCertificates, testIdentity } from '../testing/certificates/test-certificates.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { channelCredentials } from '../tls/channel-credentials.ts';
import { serverCredentials } from '../tls/server-credentials.ts';

const options = { log: collectLog().log, developmentCertificates: false };

/** A server with mTLS that lists `caller` as a peer, and a client with its certificate and without a token. */
async function start(caller: string, metadata: Record<string, string> = {}) {
  await using starting = new AsyncDisposableStack();
  const certificates = starting.use(await createTestCertificates());
  const channel = await channelCredentials(await certificates.write(caller), options);
  const principals: Principal[] = [];
  const server = starting.use(
    await startTestServer(
      EchoService,
      {
        getEcho: async ({ key }, { principal }) => {
          principals.push(principal);
          return { echo: { key } };
        },
      },
      {
        peers: new Map([[testIdentity('caller'), new Set(['echo:read'])]]),
        credentials: {
          server: await serverCredentials(await certificates.write('echo'), options),
          channel,
        },
        verifyToken: async (token) => {
          if (token !== 'good') throw new RpcError(Code.UNAUTHENTICATED, 'the token is not valid');
          return { subject: 'anna', scopes: new Set(['echo:read']) };
        },
      },
    ),
  );
  const client = starting.use(createClient(EchoService, { target: server.target, credentials: channel }));
  const files = await certificates.write(caller);
  /** Calls with a header that no gRPC client would send. Resolves to the status. */
  const callRaw = async (authorization: string) => {
    const [ca, cert, key] = await Promise.all(
      [files.caFile, files.certFile, files.keyFile].map((file) => readFile(String(file))),
    );
    const session = connect(`https://${server.target}`, { ca, cert, key, servername: 'localhost' });
    const stream = session.request({
      ':method': 'POST',
      ':path': methodPath(EchoService.method.getEcho),
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization,
    });
    stream.end(grpcFrame(Buffer.from('0a0141', 'hex')));
    const [headers] = await once(stream, 'response');
    session.destroy();
    return Number(headers['grpc-status']);
  };
  const running = starting.move();
  return {
    principals,
    callRaw,
    getEcho: () => client.getEcho({ key: 'A' }, { metadata }),
    putEchoes: () => client.putEchoes({ requestId: crypto.randomUUID() }, { metadata }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

test('a listed service calls without a token, with its listed scopes', async () => {
  await using server = await start('caller');
  await server.getEcho();
  expect(server.principals).toEqual([{ subject: testIdentity('caller'), scopes: new Set(['echo:read']) }]);
});

test('a listed service has no other scopes', async () => {
  await using server = await start('caller');
  expect(await rejectionOf(server.putEchoes())).toMatchObject({
    code: Code.PERMISSION_DENIED,
    message: 'the caller lacks the scope echo:write',
  });
});

test('a service that is not listed is rejected as UNAUTHENTICATED, even with a valid certificate', async () => {
  await using server = await start('payments');
  expect(await rejectionOf(server.getEcho())).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('a token takes precedence over the certificate, for listed and other services', async () => {
  for (const caller of ['caller', 'payments']) {
    await using server = await start(caller, { authorization: 'Bearer good' });
    await server.getEcho();
    expect(server.principals.map(({ subject }) => subject)).toEqual(['anna']);
  }
});

test.each(['Bearer bad\u00e9', '\u00ff', 'Basic b3JkZXJz\u00a0', 'Bearer bad ', ' '])(
  'a listed certificate does not replace authorization %j, which grpc-js cannot read',
  async (authorization) => {
    await using server = await start('caller');
    expect(await server.callRaw(authorization)).toBe(Code.UNAUTHENTICATED);
    expect(server.principals).toEqual([]);
  },
);

test.each(['Bearer bad', 'Bearer', 'Basic b3JkZXJz', ''])(
  'a listed certificate does not replace the invalid authorization %j',
  async (authorization) => {
    await using server = await start('caller', { authorization });
    expect(await rejectionOf(server.getEcho())).toMatchObject({ code: Code.UNAUTHENTICATED });
  },
);
