import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { openPool } from '@acme/postgres/pool';
import { createTestDatabase } from '@acme/postgres/testing';
import { type Client, createClient } from '@acme/rpc/client';
import { createFakes, createSigningKeys, issuer } from '@acme/rpc/testing';
import { startApp } from '../app.ts';
import { createSparePartStore, type SparePartStore } from '../spare-part-store.ts';

/** The service in this process, with a real socket and its own database. */
export interface TestDepot extends AsyncDisposable {
  /** Store for setting up data. */
  readonly store: SparePartStore;
  /** Creates a client with a token of the subject, or without a token if there are no scopes. */
  clientFor(subject: string, scopes?: readonly string[]): Promise<Client<typeof FrontDeskService>>;
}

export async function startTestDepot(): Promise<TestDepot> {
  await using started = new AsyncDisposableStack();
  const keys = started.use(await createSigningKeys());
  const { url } = started.use(await createTestDatabase());
  const { port } = started.adopt(
    await startApp({
      server: {
        listenAddress: '127.0.0.1:0',
        deadlineMode: 'default',
        auth: { jwks: keys.jwks, issuer, audience: 'depot', clockToleranceSeconds: 5 },
        peers: new Map(),
        traceContext: 'peers',
        tls: undefined,
        drainTimeoutMs: 2000,
        logLevel: 'silent',
        production: false,
      },
      databaseUrl: url,
    }),
    (app) => app.close(),
  );
  const pool = started.adopt(openPool({ url, max: 3, applicationName: 'test', onError: () => {} }), (each) =>
    each.end(),
  );
  const running = started.move();
  return {
    store: createSparePartStore(pool, createFakes()),
    clientFor: async (subject, scopes) => {
      const shown = scopes && (await keys.sign({ sub: subject, aud: 'depot', scope: scopes.join(' ') }));
      return running.use(
        createClient(FrontDeskService, { target: `127.0.0.1:${port}`, ...(shown && { token: () => shown }) }),
      );
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
