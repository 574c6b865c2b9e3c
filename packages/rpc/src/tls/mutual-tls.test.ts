import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { Interceptor } from '../call/handler.ts';
import { createClient } from '../client/create-client.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { type KeyPair, openAuthority } from '../testing/certificates/certificate-authority.ts';
import {
  createTestCertificates,
  type TestCertificates,
  testIdentity,
} from '../testing/certificates/test-certificates.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { channelCredentials } from './channel-credentials.ts';
import { serverCredentials } from './server-credentials.ts';
import type { TlsConfig } from './tls-files.ts';

const hourMs = 3_600_000;
const past = { notBefore: new Date(Date.now() - 2 * hourMs), notAfter: new Date(Date.now() - hourMs) };
const future = { notBefore: new Date(Date.now() + hourMs), notAfter: new Date(Date.now() + 2 * hourMs) };
const options = { log: collectLog().log, developmentCertificates: false };

/** A server with this config, and the identities of its callers. */
async function start(tls: TlsConfig, channelTls: TlsConfig, server?: ServerCredentials) {
  const identities: (string | undefined)[] = [];
  const noteIdentity: Interceptor = (next) => async (call) => {
    identities.push(call.peerIdentity);
    await next(call);
  };
  const running = await startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }) },
    {
      credentials: {
        server: server ?? (await serverCredentials(tls, options)),
        channel: await channelCredentials(channelTls, options),
      },
      modifyChain: (chain) => [noteIdentity, ...chain],
    },
  );
  return { ...running, identities };
}

/**
 * Returns the status code of a call with these credentials. The server is called by name, because on Node 26 grpc-js's
 * own credentials reach no target that is an IP address.
 */
async function codeOf(target: string, credentials: ChannelCredentials): Promise<Code> {
  using client = createClient(EchoService, {
    target: target.replace('127.0.0.1', 'localhost'),
    token: () => 'test-token',
    credentials,
  });
  const call = client.getEcho({ key: 'A' }, { deadlineMs: 5000 });
  await Promise.allSettled([call]);
  return call.then(
    () => Code.OK,
    (error) => (error instanceof RpcError ? error.code : Promise.reject(error)),
  );
}

function sslWith(authorities: string, pair?: KeyPair): ChannelCredentials {
  const [key, cert] = pair ? [Buffer.from(pair.privateKey), Buffer.from(pair.certificate)] : [null, null];
  return ChannelCredentials.createSsl(Buffer.from(authorities), key, cert);
}

test('both ends verify each other, and the server knows the identity of the caller', async () => {
  await using certificates = await createTestCertificates();
  await using server = await start(await certificates.write('echo'), await certificates.write('caller'));
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { key: 'A' } });
  expect(server.identities).toEqual([testIdentity('caller')]);
});

test('with mode tls only the server presents a certificate, and callers have no identity', async () => {
  await using certificates = await createTestCertificates();
  const [echo, caller] = [await certificates.write('echo'), await certificates.write('caller')];
  await using server = await start({ ...echo, mode: 'tls' }, { ...caller, mode: 'tls' });
  await server.client.getEcho({ key: 'A' });
  using client = createClient(EchoService, {
    target: server.target,
    token: () => 'test-token',
    credentials: await channelCredentials(caller, options),
  });
  await client.getEcho({ key: 'A' });
  expect(server.identities).toEqual([undefined, undefined]);
});

test('calls of a client with a missing or invalid certificate fail, and those of others succeed', async () => {
  await using certificates = await createTestCertificates();
  await using strangers = await createTestCertificates();
  await using server = await start(await certificates.write('echo'), await certificates.write('caller'));
  const { authority, issue } = certificates;
  const leaf = await issue('caller');
  const byLeaf = await issue('caller', { by: openAuthority(leaf) });
  for (const [problem, pair, code] of [
    ['none', undefined, Code.UNAVAILABLE],
    ['wrong authority', await strangers.issue('caller'), Code.UNAVAILABLE],
    ['signed by a leaf', { ...byLeaf, certificate: byLeaf.certificate + leaf.certificate }, Code.UNAVAILABLE],
    ['expired', await issue('caller', past), Code.UNAVAILABLE],
    ['not yet valid', await issue('caller', future), Code.UNAVAILABLE],
    ['good', await issue('payments'), Code.OK],
  ] as const) {
    const ssl = sslWith(authority.certificate, pair);
    expect([problem, await codeOf(server.target, ssl)]).toEqual([problem, code]);
    await server.client.getEcho({ key: 'A' });
  }
  expect(new Set(server.identities)).toEqual(new Set([testIdentity('caller'), testIdentity('payments')]));
});

test.each<
  [
    problem: string,
    reason: string,
    make: (own: TestCertificates, other: TestCertificates) => Promise<KeyPair>,
  ]
>([
  ['wrong authority', 'unable to verify the first certificate', (_own, other) => other.issue('echo')],
  ['expired', 'certificate has expired', (own) => own.issue('echo', past)],
  ['not yet valid', 'certificate is not yet valid', (own) => own.issue('echo', future)],
  [
    'wrong host name',
    "IP: 127.0.0.1 is not in the cert's list: 127.0.0.2",
    (own) => own.issue('echo', { alternativeNames: ['DNS:localhost', 'IP:127.0.0.2'] }),
  ],
])('a server with an invalid certificate (%s) gets no call', async (_problem, reason, make) => {
  await using certificates = await createTestCertificates();
  await using strangers = await createTestCertificates();
  const { certificate, privateKey } = await make(certificates, strangers);
  const credentials = ServerCredentials.createSsl(
    Buffer.from(certificates.authority.certificate),
    [{ cert_chain: Buffer.from(certificate), private_key: Buffer.from(privateKey) }],
    true,
  );
  const caller = await certificates.write('caller');
  await using server = await start(caller, caller, credentials);
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }, { deadlineMs: 5000 }));
  expect(error).toMatchObject({ code: Code.UNAVAILABLE, message: expect.stringContaining(reason) });
  expect(server.identities).toEqual([]);
});

test('a call in plain text to a TLS server, or the reverse, fails at once', async () => {
  using crashes = recordCrashes();
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('caller');
  await using secure = await start(tls, tls);
  await using plain = await startTestServer(EchoService, {});
  expect(await codeOf(plain.target, await channelCredentials(tls, options))).toBe(Code.UNAVAILABLE);
  expect(await codeOf(secure.target, await channelCredentials(undefined, options))).toBe(Code.UNAVAILABLE);
  await secure.client.getEcho({ key: 'A' });
  expect(secure.identities.length).toBe(1);
  expect(crashes.reasons).toEqual([]);
});

test('the server rejects versions before TLS 1.3', async () => {
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('caller');
  const { certificate: cert, privateKey: key } = await certificates.issue('caller');
  const ca = certificates.authority.certificate;
  await using server = await start(tls, tls);
  const handshake = async (maxVersion: 'TLSv1.2' | 'TLSv1.3') => {
    const socket = connectTls({
      port: server.running.port,
      ca,
      cert,
      key,
      maxVersion,
      ALPNProtocols: ['h2'],
    });
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    } finally {
      socket.destroy();
    }
  };
  expect(await handshake('TLSv1.3')).toBe('TLSv1.3');
  expect(await handshake('TLSv1.2')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('a connection without a handshake is closed', async () => {
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('caller');
  await using server = await start(tls, tls);
  const silent = connectTcp(server.running.port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent.resume(), 'close');
});
