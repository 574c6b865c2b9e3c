import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTestCertificates } from '../testing/certificates/test-certificates.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { openServerTls } from '../tls/server-credentials.ts';
import type { WebLimits } from './web-limits.ts';

const request =
  'GET /testing.v1.EchoService/GetEcho?encoding=json&message=%7B%22key%22%3A%22A%22%7D HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n';

async function startSecure(tls: Parameters<typeof openServerTls>[0], limits: Partial<WebLimits> = {}) {
  const serverTls = await openServerTls(tls, { ...collectLog(), developmentCertificates: false });
  return startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }) },
    { web: { tls: serverTls, limits } },
  );
}

/** Opens a connection. Resolves after the handshake. */
async function handshake(url: string, ca: string, ALPNProtocols: string[]): Promise<TLSSocket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ca, ALPNProtocols });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  // The server resets connections that are left at its end.
  socket.on('error', () => {});
  return socket;
}

test('with TLS the protocol is negotiated: h2, or HTTP/1.1', async () => {
  await using certificates = await createTestCertificates();
  const { certFile, keyFile } = await certificates.write('echo');
  await using server = await startSecure({ mode: 'tls', certFile, keyFile, caFile: undefined });
  const ca = certificates.authority.certificate;
  const http2 = await handshake(server.webUrl, ca, ['h2', 'http/1.1']);
  expect([http2.alpnProtocol, http2.getProtocol()]).toEqual(['h2', 'TLSv1.3']);
  const http1 = await handshake(server.webUrl, ca, ['http/1.1']);
  http1.write(request);
  const [answer] = await once(http1, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
});

test('an HTTP/1.1 connection that is too old is closed after its next answer', async () => {
  await using certificates = await createTestCertificates();
  const { certFile, keyFile } = await certificates.write('echo');
  const tls = { mode: 'tls', certFile, keyFile, caFile: undefined } as const;
  await using server = await startSecure(tls, { maxAgeMs: 0 });
  const socket = await handshake(server.webUrl, certificates.authority.certificate, ['http/1.1']);
  socket.write(request);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 .*^connection: close\r$/ims);
  await once(socket, 'close');
});

test('new connections use a certificate that has been replaced', async () => {
  await using certificates = await createTestCertificates();
  const config = await certificates.write('echo');
  await using server = await startSecure({ ...config, mode: 'tls' });
  const ca = certificates.authority.certificate;
  const serialOf = async () => {
    const socket = await handshake(server.webUrl, ca, ['h2']);
    return socket.getPeerCertificate().serialNumber;
  };
  const before = await serialOf();
  const { certificate, privateKey } = await certificates.issue('echo');
  await Promise.all([writeFile(config.certFile, certificate), writeFile(config.keyFile, privateKey)]);
  await vi.waitUntil(async () => (await serialOf()) !== before, { timeout: 15_000 });
});

test('also with mTLS a caller needs no certificate, because browsers have none', async () => {
  await using certificates = await createTestCertificates();
  await using server = await startSecure(await certificates.write('echo'));
  const socket = await handshake(server.webUrl, certificates.authority.certificate, ['http/1.1']);
  socket.write(request);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
});
