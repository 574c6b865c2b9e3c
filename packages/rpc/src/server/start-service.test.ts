import { writeFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { createLogger } from '../logging/logger.ts';
import { audience, createSigningKeys, issuer } from '../testing/certificates/signing-keys.ts';
import { createTestCertificates } from '../testing/certificates/test-certificates.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { NoticeService } from '../testing/gen/testing/v1/notice_service_pb.ts';
import { PingService } from '../testing/gen/testing/v1/ping_service_pb.ts';
import { testServerConfig } from '../testing/test-server-config.ts';
import { developmentAuthority, type TlsConfig } from '../tls/tls-files.ts';
import { type ServedService, serve } from './served-service.ts';
import { startService } from './start-service.ts';

interface StartOptions {
  readonly tls?: TlsConfig;
  readonly production?: boolean;
  readonly interceptors?: readonly Interceptor[];
  readonly config?: Parameters<typeof testServerConfig>[0];
}

/** Starts a service on a free port whose methods all answer with an empty message. */
function startEcho(jwks: string, { tls, production = false, interceptors = [], config }: StartOptions = {}) {
  const implementation = Object.fromEntries(
    EchoService.methods.map(({ localName }) => [localName, async () => ({})]),
  ) as unknown as ServiceImplementation<typeof EchoService>;
  return startService({
    config: testServerConfig({
      auth: { jwks, issuer, audience, clockToleranceSeconds: 5 },
      tls,
      production,
      ...config,
    }),
    log: createLogger({ service: 'test', level: 'silent' }),
    services: [serve(EchoService, implementation)],
    errorMap: () => undefined,
    interceptors,
    checkReadiness: async () => {},
  });
}

test('a service rejects development certificates in production, and only there', async () => {
  await using keys = await createSigningKeys();
  await using certificates = await createTestCertificates(developmentAuthority);
  const tls = await certificates.write('echo');
  const start = (production: boolean) => startEcho(keys.jwks, { tls, production });
  await expect(start(true)).rejects.toThrow(
    `${tls.certFile} is from the ${developmentAuthority}, which production does not accept`,
  );
  const service = await start(false);
  await service.drain();
});

test("a service's own interceptors see only calls that pass the chain", async () => {
  await using keys = await createSigningKeys();
  const seen: string[] = [];
  const noteCall: Interceptor = (next) => async (call) => {
    seen.push(`${call.principal.subject} ${call.method.desc.name}`);
    await next(call);
  };
  const service = await startEcho(keys.jwks, { interceptors: [noteCall] });
  const target = `127.0.0.1:${service.port}`;
  const token = await keys.sign();
  using unauthenticated = createClient(EchoService, { target });
  using anna = createClient(EchoService, { target, token: () => token });
  await unauthenticated.listEchoes({}).catch(() => {});
  await anna.listEchoes({});
  await service.drain();
  expect(seen).toEqual(['anna ListEchoes']);
});

test('a service reads a replaced JWK Set, and rejects tokens that it verified before', async () => {
  await using keys = await createSigningKeys('old');
  await using others = await createSigningKeys('new');
  const service = await startEcho(keys.jwks);
  onTestFinished(() => service.drain());
  const target = `127.0.0.1:${service.port}`;
  const [oldToken, newToken] = [await keys.sign(), await others.sign()];
  using before = createClient(EchoService, { target, token: () => oldToken });
  using after = createClient(EchoService, { target, token: () => newToken });
  await before.listEchoes({});
  await writeFile(keys.jwks, JSON.stringify({ keys: [others.publicKey] }));
  await vi.waitFor(() => after.listEchoes({}), { timeout: 10_000 });
  await expect(before.listEchoes({})).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('an address that is taken is an error with the name of its variable', async () => {
  await using keys = await createSigningKeys();
  const first = await startEcho(keys.jwks);
  onTestFinished(() => first.drain());
  const taken = `127.0.0.1:${first.port}`;
  await expect(startEcho(keys.jwks, { config: { listenAddress: taken } })).rejects.toThrow(
    /^cannot listen on .*EADDRINUSE.*: set LISTEN_ADDRESS to another address$/,
  );
  await expect(startEcho(keys.jwks, { config: { web: { address: taken, origins: [] } } })).rejects.toThrow(
    /^cannot listen on .*EADDRINUSE.*: set WEB_LISTEN_ADDRESS to another address$/,
  );
});

describe('a service without token settings', () => {
  const start = (services: readonly ServedService[]) =>
    startService({
      config: testServerConfig(),
      log: createLogger({ service: 'test', level: 'silent' }),
      services,
      errorMap: () => undefined,
      checkReadiness: async () => {},
    });
  const notices = serve(NoticeService, {
    getNotice: async (_request, { principal }) => principal,
    async *watchNotices(_request, { principal }) {
      yield principal;
    },
  });
  const pings = serve(PingService, { ping: async () => ({}) });

  test('serves anonymous methods, and rejects every token', async () => {
    const service = await start([notices]);
    onTestFinished(() => service.drain());
    const target = `127.0.0.1:${service.port}`;
    using anonymous = createClient(NoticeService, { target });
    using anna = createClient(NoticeService, { target, token: () => 'any' });
    expect(await anonymous.getNotice({})).toMatchObject({ subject: '' });
    await expect(anna.getNotice({})).rejects.toMatchObject({
      code: Code.UNAUTHENTICATED,
      message: 'the server accepts no token: send no `authorization`',
    });
  });

  test('is rejected with the names of the variables if a method needs a token', async () => {
    await expect(start([notices, pings])).rejects.toThrow(
      'testing.v1.PingService/Ping needs a token: set AUTH_JWKS, AUTH_ISSUER and AUTH_AUDIENCE',
    );
  });
});
