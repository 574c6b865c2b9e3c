import { once } from 'node:events';
import { connect } from 'node:tls';
import { Server } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { createTestCertificates } from '../../testing/certificates/test-certificates.ts';
import { createReloadableServerCredentials } from './reloadable-server-credentials.ts';

async function commonNameAt(port: number): Promise<unknown> {
  const socket = connect({ port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('new connections use the replaced certificate, and each server is reported from its start to its end', async () => {
  await using certificates = await createTestCertificates();
  const contextOf = async (name: string) => {
    const { certificate: cert, privateKey: key } = await certificates.issue(name);
    return { cert, key };
  };
  const events: string[] = [];
  const { credentials, replace } = createReloadableServerCredentials({
    serverOptions: {},
    contextOptions: await contextOf('first'),
    onListening: () => events.push('listening'),
    onClosed: () => events.push('closed'),
  });
  const server = new Server();
  const bind = () =>
    new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port))),
    );
  const ports = [await bind(), await bind()];
  expect(await Promise.all(ports.map(commonNameAt))).toEqual(['first', 'first']);
  replace(await contextOf('second'));
  expect(await Promise.all(ports.map(commonNameAt))).toEqual(['second', 'second']);
  expect(events).toEqual(['listening']);
  await new Promise((resolve) => server.tryShutdown(resolve));
  expect(events).toEqual(['listening', 'closed']);
});
