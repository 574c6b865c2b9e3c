import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import type { KeyPair } from '../testing/certificates/certificate-authority.ts';
import {
  createTestCertificates,
  type MutualTls,
  testIdentity,
} from '../testing/certificates/test-certificates.ts';
import { EchoService, GetEchoRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { channelCredentials } from './channel-credentials.ts';
import { serverCredentials } from './server-credentials.ts';

const waiting = { timeout: 15_000, interval: 20 };

/** A server and the credentials of a caller, whose files the test can replace. */
async function startMutual(server: MutualTls, caller: MutualTls) {
  const [serverLog, channelLog] = [collectLog(), collectLog()];
  const channel = await channelCredentials(caller, { ...channelLog, developmentCertificates: false });
  const identities: (string | undefined)[] = [];
  const running = await startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }) },
    {
      credentials: {
        server: await serverCredentials(server, { ...serverLog, developmentCertificates: false }),
        channel,
      },
      modifyChain: (chain) => [
        (next) => (call) => {
          identities.push(call.peerIdentity);
          return next(call);
        },
        ...chain,
      ],
    },
  );
  const replaced = () => serverLog.lines.filter((line) => line.msg === 'TLS files replaced').length;
  return {
    ...running,
    channel,
    serverLines: serverLog.lines,
    channelLines: channelLog.lines,
    identities,
    replaced,
  };
}

/** Makes a call on its own connection. Rejects with the error of the call. */
async function callOnce(target: string, credentials: ChannelCredentials): Promise<void> {
  const client = new Client(target, credentials, { 'grpc.use_local_subchannel_pool': 1 });
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer test-token');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.makeUnaryRequest(
    methodPath(EchoService.method.getEcho),
    (key: string) => Buffer.from(toBinary(GetEchoRequestSchema, create(GetEchoRequestSchema, { key }))),
    (bytes) => bytes,
    'A',
    metadata,
    { deadline: Date.now() + 10_000 },
    (error) => (error ? reject(error) : resolve()),
  );
  await promise.finally(() => client.close());
}

/** Returns the certificate that a new connection gets. */
async function certificateOfNewConnection(port: number): Promise<string | undefined> {
  const socket = connect({ port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate()?.toString();
  socket.destroy();
  return shown;
}

/** Calls until it is disposed, on one shared connection and on new ones. */
function keepCalling({ client, target, channel }: Awaited<ReturnType<typeof startMutual>>) {
  const failures: unknown[] = [];
  let isRunning = true;
  let served = 0;
  const repeat = async (call: () => Promise<unknown>) => {
    while (isRunning)
      await call().then(
        () => served++,
        (error) => failures.push(error),
      );
  };
  const callers = [
    repeat(() => client.getEcho({ key: 'A' }, { deadlineMs: 5000 })),
    repeat(() => callOnce(target, channel)),
    repeat(() => callOnce(target, channel)),
  ];
  return {
    failures,
    get served() {
      return served;
    },
    [Symbol.asyncDispose]: async () => {
      isRunning = false;
      await Promise.all(callers);
    },
  };
}

/** Writes a file in two halves, which is not atomic. */
async function writeTorn(file: string, text: string): Promise<void> {
  await writeFile(file, text.slice(0, text.length / 2));
  await writeFile(file, text);
}

async function replacePair(tls: MutualTls, pair: KeyPair): Promise<void> {
  await writeTorn(tls.certFile, pair.certificate);
  await writeTorn(tls.keyFile, pair.privateKey);
}

test('no call fails while certificates and authority are replaced, and new connections get the new ones', async () => {
  await using old = await createTestCertificates();
  await using next = await createTestCertificates();
  const [echo, caller] = [await old.write('echo'), await old.write('caller')];
  await using server = await startMutual(echo, caller);
  const [newEcho, newCaller] = [await next.issue('echo'), await next.issue('caller')];
  const both = old.authority.certificate + next.authority.certificate;
  await using calls = keepCalling(server);
  const trust = async (authorities: string) => {
    const before = server.replaced();
    for (const { caFile } of [echo, caller]) await writeTorn(caFile, authorities);
    await vi.waitUntil(() => server.replaced() > before, waiting);
  };

  await trust(both);
  await replacePair(caller, newCaller);
  await replacePair(echo, newEcho);
  await vi.waitUntil(
    async () => (await certificateOfNewConnection(server.running.port)) === newEcho.certificate,
    waiting,
  );
  await trust(next.authority.certificate);
  const before = calls.served;
  await vi.waitUntil(() => calls.served > before + 10, waiting);

  expect(calls.failures).toEqual([]);
  expect(new Set(server.identities)).toEqual(new Set([testIdentity('caller')]));
  const oldCaller = await old.write('old-caller', undefined, both);
  const oldChannel = await channelCredentials(oldCaller, { ...collectLog(), developmentCertificates: false });
  await expect(callOnce(server.target, oldChannel)).rejects.toThrow('UNAVAILABLE');
});

test('a client that reconnects presents its new certificate', async () => {
  await using certificates = await createTestCertificates();
  const caller = await certificates.write('caller');
  await using server = await startMutual(await certificates.write('echo'), caller);
  await callOnce(server.target, server.channel);
  await replacePair(caller, await certificates.issue('payments'));
  await callOnce(server.target, server.channel);
  expect(server.identities).toEqual([testIdentity('caller'), testIdentity('payments')]);
  expect(server.channelLines).toMatchObject([{ msg: 'TLS files replaced' }]);
});

test('unusable files drop no connection, and are logged', async () => {
  await using certificates = await createTestCertificates();
  const [echo, caller] = [await certificates.write('echo'), await certificates.write('caller')];
  await using server = await startMutual(echo, caller);
  for (const { certFile, keyFile, caFile } of [echo, caller]) {
    await writeFile(certFile, (await certificates.issue('other')).certificate);
    await writeFile(keyFile, '');
    await writeFile(caFile, 'garbage');
  }
  await vi.waitUntil(() => server.serverLines.length > 0, waiting);
  await callOnce(server.target, server.channel);
  expect(server.identities).toEqual([testIdentity('caller')]);
  const logged = { level: 'warn', msg: 'TLS files cannot be used: the last good ones stay in use' };
  expect(server.serverLines).toMatchObject([logged]);
  expect(server.channelLines).toMatchObject([logged]);
});

test('the files are reread only while a server listens', async () => {
  await using certificates = await createTestCertificates();
  const echo = await certificates.write('echo');
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const options = { ...collectLog(), developmentCertificates: false };
  const credentials = {
    server: await serverCredentials(echo, options),
    channel: await channelCredentials(echo, options),
  };
  expect(vi.getTimerCount()).toBe(0);
  const server = await startTestServer(EchoService, {}, { credentials });
  expect(vi.getTimerCount()).toBe(1);
  await server[Symbol.asyncDispose]();
  expect(vi.getTimerCount()).toBe(0);
});
