import { once } from 'node:events';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { ChannelCredentials, Client, type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { createTestCertificates } from '../../testing/certificates/test-certificates.ts';
import { createSecureChannelCredentials, isSecure } from './secure-channel-credentials.ts';

const asIs = (bytes: Buffer) => bytes;

async function codeOf(target: string, credentials: ChannelCredentials): Promise<status | undefined> {
  const client = new Client(target, credentials);
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest('/a.B/C', asIs, asIs, Buffer.of(), (failure) => resolve(failure)),
  );
  client.close();
  return error?.code;
}

test('only TLS credentials are secure', () => {
  expect(isSecure(ChannelCredentials.createInsecure())).toBe(false);
  expect(isSecure(ChannelCredentials.createSsl())).toBe(true);
  const connections = { prepare: async () => {}, connect: () => expect.unreachable() };
  expect(isSecure(createSecureChannelCredentials(connections))).toBe(true);
});

test.each([
  ['localhost', 'localhost'],
  ['ipv4:127.0.0.1', '127.0.0.1'],
  ['dns:///localhost', 'localhost'],
])('a channel to %s connects once it is prepared, and expects the name %s', async (address, host) => {
  await using certificates = await createTestCertificates();
  const { certificate: cert, privateKey: key } = await certificates.issue('server');
  await using server = createSecureServer({ cert, key });
  server.on('stream', (stream: ServerHttp2Stream) => {
    const headers = { 'content-type': 'application/grpc', 'grpc-status': status.UNIMPLEMENTED };
    stream.respond({ ':status': 200, ...headers }, { endStream: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const steps: string[] = [];
  const credentials = createSecureChannelCredentials({
    prepare: async () => void steps.push('prepare'),
    connect: (socket, name) => {
      steps.push(`connect to ${name}`);
      return connect({ socket, ca: certificates.authority.certificate, host: name, ALPNProtocols: ['h2'] });
    },
  });
  expect(await codeOf(`${address}:${port}`, credentials)).toBe(status.UNIMPLEMENTED);
  expect(steps).toEqual(['prepare', `connect to ${host}`]);
});

test('a call fails when its connection is closed during the handshake', async () => {
  await using server = createSecureServer({});
  server.on('connection', (socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const credentials = createSecureChannelCredentials({
    prepare: async () => {},
    connect: (socket, host) => connect({ socket, host, ALPNProtocols: ['h2'] }),
  });
  expect(await codeOf(`127.0.0.1:${port}`, credentials)).toBe(status.UNAVAILABLE);
});
