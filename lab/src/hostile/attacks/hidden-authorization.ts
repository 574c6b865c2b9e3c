import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { developmentTrustDomain, makeDevelopmentCertificates } from '@acme/dev/credentials';
import { freePort } from '@acme/dev/start';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import type { Attack, AttackContext, AttackSetup } from '../attack/attack.ts';
import { type Answer, answerWithin, requestOf, startCall } from '../wire/grpc-calls.ts';

const { releaseStock } = InventoryService.method;
const startTimeoutMs = 30_000;
const callTimeoutMs = 3000;

/** Header values that no verifier accepts. Bytes above 127 are sent as Latin-1. */
const unreadable: Readonly<Record<string, string>> = {
  'a byte above 127': 'Bearer \xe9token',
  'a last byte above 127': 'Bearer token\x80',
  'no value': '',
  'another scheme': 'Basic b3JkZXJzOm9yZGVycw==',
  'no scheme': 'token',
};

/** Header values that nghttp2 drops before any program sees them. Proxies must not forward them (RFC 9110, 5.5). */
const invisible: Readonly<Record<string, string>> = {
  'a control byte': 'Bearer \x01token',
  'a trailing space': 'Bearer ',
};

/** An authorization header that grpc-js drops, on a connection whose certificate has scopes. */
export const hiddenAuthorization: readonly Attack[] = [
  {
    name: 'hidden-authorization',
    sends:
      'calls with the certificate of orders and an authorization header that cannot be read (AUTH_PEERS, mTLS)',
    service: 'inventory',
    prepare: prepareMutualTls,
    run: hideAuthorization,
  },
];

async function prepareMutualTls({ cluster }: AttackSetup): Promise<readonly string[]> {
  const folder = join(cluster.folder, 'certificates');
  await makeDevelopmentCertificates({ folder, names: ['orders', 'inventory'], now: new Date() });
  await cluster.database.ensureDatabase('mutual_tls');
  return [folder, cluster.database.url('mutual_tls'), join(cluster.folder, 'keys', 'jwks.json')];
}

async function hideAuthorization({ prepared, expect, note }: AttackContext): Promise<void> {
  const [folder = '', databaseUrl = '', jwks = ''] = prepared;
  const port = await freePort();
  const server = startInventory({ port, folder, databaseUrl, jwks });
  try {
    const call = await callerWithCertificate(port, folder);
    const endMs = performance.now() + startTimeoutMs;
    let allowed = await call(undefined);
    while (allowed.code !== Code.OK && performance.now() < endMs) {
      await sleep(200);
      allowed = await call(undefined);
    }
    expect(allowed.code === Code.OK, `the certificate alone was answered ${allowed.code} ${allowed.message}`);
    for (const [text, value] of Object.entries(unreadable)) {
      const { code } = await call(value);
      const isRejected = code === Code.UNAUTHENTICATED;
      expect(isRejected, `an authorization header with ${text} was answered ${code}, not UNAUTHENTICATED`);
    }
    for (const [text, value] of Object.entries(invisible))
      note(`${text}, which Node hides, was answered ${(await call(value)).code}`);
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
}

/** Starts an inventory replica that authenticates orders by its certificate. */
function startInventory(
  options: Record<'folder' | 'databaseUrl' | 'jwks', string> & { port: number },
): ChildProcess {
  const { folder, databaseUrl, jwks, port } = options;
  return spawn(process.execPath, [fileURLToPath(import.meta.resolve('@acme/inventory/main'))], {
    env: {
      ...process.env,
      NODE_ENV: 'development',
      LISTEN_ADDRESS: `127.0.0.1:${port}`,
      DATABASE_URL: databaseUrl,
      AUTH_JWKS: jwks,
      AUTH_ISSUER: 'https://issuer.invalid',
      AUTH_AUDIENCE: 'inventory',
      AUTH_PEERS: `spiffe://${developmentTrustDomain}/orders=inventory:reserve`,
      TLS_MODE: 'mtls',
      TLS_CERT: join(folder, 'inventory.crt'),
      TLS_KEY: join(folder, 'inventory.key'),
      TLS_CA: join(folder, 'ca.crt'),
    },
    stdio: 'ignore',
  });
}

/** Returns a function that calls ReleaseStock with the certificate of orders, on a new connection each time. */
async function callerWithCertificate(
  port: number,
  folder: string,
): Promise<(authorization: string | undefined) => Promise<Answer>> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'orders.crt', 'orders.key'].map((name) => readFile(join(folder, name))),
  );
  return async (authorization) => {
    const session = connect(`https://127.0.0.1:${port}`, { ca, cert, key });
    session.on('error', () => {});
    const request = requestOf(releaseStock, { reservationId: crypto.randomUUID() });
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await answerWithin(
      startCall(session, methodPath(releaseStock), request, { headers }),
      callTimeoutMs,
    );
    session.destroy();
    return answer;
  };
}
