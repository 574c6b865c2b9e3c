import { chmod, chown, copyFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCertificates } from '@acme/rpc/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startEmbedded } from '../embedded/embedded.ts';
import { serverUser } from '../embedded/server-user.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { type PoolerProxy, startPoolerProxy } from '../testing/pooler-proxy.ts';
import { queryOnce } from '../testing/query-once.ts';
import { cancelStatement } from './cancel-statement.ts';
import { query } from './query.ts';

const sslRequest = Buffer.from('0000000804d2162f', 'hex');
/** Length and code. The process id and the key follow. */
const cancelRequest = Buffer.from('0000001004d2162e', 'hex');
const tlsHandshake = 0x16;

/** A server with TLS, the authority that signed its certificate, and another authority. */
const server = { url: '', port: 0, authorityFile: '', authority: '', stranger: '' };
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), 'acme-cancel-')));
  const embedded = stack.use(await startEmbedded({ dataFolder: folder.path }));
  const certificates = stack.use(await createTestCertificates());
  const { certFile, keyFile, caFile } = await certificates.write('postgres');
  const strangers = stack.use(await createTestCertificates());
  const user = serverUser();
  for (const [from, name] of [
    [certFile, 'server.crt'],
    [keyFile, 'server.key'],
  ] as const) {
    const to = join(folder.path, 'pgdata', name);
    await copyFile(from, to);
    await chmod(to, 0o600);
    if (user) await chown(to, user.uid, user.gid);
  }
  server.url = embedded.url('postgres');
  server.port = embedded.port;
  server.authorityFile = caFile;
  server.authority = certificates.authority.certificate;
  server.stranger = strangers.authority.certificate;
  await switchTls('on');
});
afterAll(() => stack.disposeAsync());

async function switchTls(ssl: 'on' | 'off'): Promise<void> {
  await queryOnce(server.url, `ALTER SYSTEM SET ssl = ${ssl}`);
  await queryOnce(server.url, 'SELECT pg_reload_conf()');
  await vi.waitFor(async () => expect(await queryOnce(server.url, 'SHOW ssl')).toEqual([{ ssl }]), {
    timeout: 15_000,
  });
}

/** Opens a pool through a proxy that records the bytes that clients send. */
async function openProxied(parameters: Record<string, string>) {
  await using opened = new AsyncDisposableStack();
  const proxy: PoolerProxy = opened.use(await startPoolerProxy(server.port));
  const url = new URL(server.url);
  url.port = String(proxy.port);
  url.search = String(new URLSearchParams({ ...parameters, statement_timeout: '0' }));
  const pool = opened.use(openTestPool({ url: url.href, max: 1 }));
  const kept = opened.move();
  return { proxy, pool, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const sleepers = async () =>
  (
    await queryOnce(
      server.url,
      `SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`,
    )
  ).length;

/** Cancels a statement by its signal, and returns the bytes that the connection and the cancel have sent. */
async function cancelOne(parameters: Record<string, string>) {
  await using proxied = await openProxied(parameters);
  const controller = new AbortController();
  const slow = query(proxied.pool, { text: 'SELECT pg_sleep(60)' }, controller.signal);
  await expect.poll(sleepers).toBe(1);
  controller.abort(new Error('cancelled by the caller'));
  await expect(slow).rejects.toThrow('cancelled by the caller');
  // The error arrives a moment before the session counts as idle.
  await expect.poll(sleepers).toBe(0);
  return proxied.proxy.sent();
}

describe('a connection with TLS cancels with TLS:', () => {
  test.for([
    ['verify-full', () => ({ sslmode: 'verify-full', sslrootcert: server.authorityFile })],
    ['no-verify', () => ({ sslmode: 'no-verify' })],
  ] as const)('%s', async ([, parameters]) => {
    const sent = await cancelOne(parameters());
    expect(sent).toHaveLength(2);
    for (const bytes of sent) {
      expect(bytes.subarray(0, 8)).toEqual(sslRequest);
      expect(bytes[8]).toBe(tlsHandshake);
      expect(bytes.includes(cancelRequest)).toBe(false);
    }
  });

  test('direct negotiation', async () => {
    const parameters = {
      sslmode: 'verify-full',
      sslrootcert: server.authorityFile,
      sslnegotiation: 'direct',
    };
    for (const bytes of await cancelOne(parameters)) {
      expect(bytes[0]).toBe(tlsHandshake);
      expect(bytes.includes(cancelRequest)).toBe(false);
    }
  });
});

test('a connection without TLS cancels without TLS', async () => {
  const [, cancel] = await cancelOne({});
  expect(cancel?.subarray(0, 8)).toEqual(cancelRequest);
});

describe('no cancel is sent when meanwhile', () => {
  test.for([
    ['the certificate is not trusted', () => server.stranger, 'on'],
    ['the server offers no TLS', () => server.authority, 'off'],
  ] as const)('%s', async ([, authority, ssl]) => {
    await using proxied = await openProxied({ sslmode: 'verify-full', sslrootcert: server.authorityFile });
    const client = await proxied.pool.connect();
    const slow = client.query('SELECT pg_sleep(60)');
    const ended = expect(slow).rejects.toMatchObject({ code: '57P01' });
    await expect.poll(sleepers).toBe(1);
    Object.assign(client, { ssl: { ca: authority() } });
    await switchTls(ssl);
    await cancelStatement(client);
    expect(await sleepers()).toBe(1);
    expect(Buffer.concat(proxied.proxy.sent()).includes(cancelRequest)).toBe(false);
    const sleeping = `query = 'SELECT pg_sleep(60)' AND state = 'active'`;
    await queryOnce(server.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${sleeping}`);
    await ended;
    client.release(true);
    await switchTls('on');
  });
});
