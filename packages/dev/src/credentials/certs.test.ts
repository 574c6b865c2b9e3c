import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempDisposable, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { channelCredentials, createClient } from '@acme/rpc/client';
import { createAuthority } from '@acme/rpc/development';
import { createLogger } from '@acme/rpc/logging';
import { serverCredentials } from '@acme/rpc/server';
import { EchoService, hourAround, startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { makeDevelopmentCertificates } from './development-certificates.ts';

const run = promisify(execFile);
const dayMs = 24 * 60 * 60 * 1000;
const log = createLogger({ service: 'test', level: 'silent' });
const main = fileURLToPath(new URL('./certs.ts', import.meta.url));

const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'certs-test-'));
const certificateIn = async (folder: string, name: string) =>
  new X509Certificate(await readFile(join(folder, `${name}.crt`)));

function tlsOf(folder: string, name: string) {
  const file = (ending: string) => join(folder, ending);
  return {
    mode: 'mtls',
    certFile: file(`${name}.crt`),
    keyFile: file(`${name}.key`),
    caFile: file('ca.crt'),
  } as const;
}

test('the command makes certificates that services accept from each other, and that production rejects', async () => {
  await using folder = await makeFolder();
  const { stdout } = await run(process.execPath, [
    main,
    '--out',
    folder.path,
    '--services',
    'orders,inventory,client',
  ]);
  expect(stdout.trim().split('\n').length).toBe(4);
  const [inventory, orders] = [tlsOf(folder.path, 'inventory'), tlsOf(folder.path, 'orders')];
  const identities: unknown[] = [];
  const development = { log, developmentCertificates: true };
  await using server = await startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }) },
    {
      credentials: {
        server: await serverCredentials(inventory, development),
        channel: await channelCredentials(orders, development),
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
  const credentials = await channelCredentials(tlsOf(folder.path, 'client'), development);
  for (const host of ['127.0.0.1', 'localhost']) {
    using client = createClient(EchoService, {
      target: `${host}:${server.running.port}`,
      token: () => 'token',
      credentials,
    });
    await client.getEcho({ key: 'A' });
  }
  await server.client.getEcho({ key: 'A' });
  expect(new Set(identities)).toEqual(
    new Set(['spiffe://saturday.invalid/client', 'spiffe://saturday.invalid/orders']),
  );
  const production = { log, developmentCertificates: false };
  const rejection = /^[^\n]+ is from the Saturday development CA[^\n]+$/;
  await expect(serverCredentials(inventory, production)).rejects.toThrow(rejection);
  await expect(channelCredentials(orders, production)).rejects.toThrow(rejection);
});

test('only the owner can read the keys, and no temporary file is left', async () => {
  await using folder = await makeFolder();
  await makeDevelopmentCertificates({ folder: folder.path, names: ['orders'], now: new Date() });
  expect((await readdir(folder.path)).toSorted()).toEqual(['ca.crt', 'ca.key', 'orders.crt', 'orders.key']);
  for (const name of ['ca.key', 'orders.key'])
    expect(((await stat(join(folder.path, name))).mode & 0o777).toString(8)).toBe('600');
});

test('a certificate names its service and this machine, and is valid for 30 days', async () => {
  await using folder = await makeFolder();
  const now = new Date('2026-11-21T12:00:00Z');
  await makeDevelopmentCertificates({ folder: folder.path, names: ['orders'], now });
  const [leaf, authority] = [
    await certificateIn(folder.path, 'orders'),
    await certificateIn(folder.path, 'ca'),
  ];
  expect(leaf.subjectAltName?.split(', ')).toEqual([
    'DNS:orders',
    'DNS:localhost',
    'IP Address:127.0.0.1',
    'IP Address:0:0:0:0:0:0:0:1',
    'URI:spiffe://saturday.invalid/orders',
  ]);
  expect(leaf.validToDate.getTime() - now.getTime()).toBe(30 * dayMs);
  expect(leaf.validFromDate.getTime()).toBeLessThan(now.getTime());
  expect([leaf.ca, authority.ca]).toEqual([false, true]);
  expect(leaf.verify(authority.publicKey)).toBe(true);
});

test('a second run renews the certificates, and keeps the authority while it outlives them', async () => {
  await using folder = await makeFolder();
  const make = async (days: number) => {
    const now = new Date(Date.now() + days * dayMs);
    await makeDevelopmentCertificates({ folder: folder.path, names: ['orders'], now });
    const [leaf, authority] = [
      await certificateIn(folder.path, 'orders'),
      await certificateIn(folder.path, 'ca'),
    ];
    expect(leaf.verify(authority.publicKey)).toBe(true);
    return { leaf: leaf.fingerprint256, authority: authority.fingerprint256 };
  };
  const first = await make(0);
  const second = await make(334);
  const third = await make(336);
  expect(second.authority).toBe(first.authority);
  expect(third.authority).not.toBe(first.authority);
  expect(new Set([first.leaf, second.leaf, third.leaf]).size).toBe(3);
});

test('an authority without its key, or with another key, is replaced', async () => {
  await using folder = await makeFolder();
  const options = { folder: folder.path, names: ['orders'], now: new Date() };
  const key = join(folder.path, 'ca.key');
  for (const spoil of [
    () => rm(key),
    async () => writeFile(key, (await createAuthority('another', hourAround())).privateKey),
  ]) {
    await makeDevelopmentCertificates(options);
    const before = await certificateIn(folder.path, 'ca');
    await spoil();
    await makeDevelopmentCertificates(options);
    const after = await certificateIn(folder.path, 'ca');
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect((await certificateIn(folder.path, 'orders')).verify(after.publicKey)).toBe(true);
  }
});

test('a certificate of another authority is not overwritten', async () => {
  for (const name of ['ca', 'orders']) {
    await using folder = await makeFolder();
    const file = join(folder.path, `${name}.crt`);
    const { certificate } = await createAuthority('Acme root', hourAround());
    for (const text of [certificate, 'not a certificate']) {
      await writeFile(file, text);
      const making = makeDevelopmentCertificates({ folder: folder.path, names: ['orders'], now: new Date() });
      await expect(making).rejects.toThrow(`${file} is not a certificate of the Saturday development CA`);
      expect(await readFile(file, 'utf8')).toBe(text);
    }
    expect(await readdir(folder.path)).toEqual([`${name}.crt`]);
  }
});

test.each(['', 'ca', 'Orders', 'a/b', '../orders', 'a b', '-a', '.'])(
  '%j is rejected as the name of a service',
  async (name) => {
    await using folder = await makeFolder();
    const making = makeDevelopmentCertificates({ folder: folder.path, names: [name], now: new Date() });
    await expect(making).rejects.toThrow('is not a valid service name');
    expect(await readdir(folder.path)).toEqual([]);
  },
);
