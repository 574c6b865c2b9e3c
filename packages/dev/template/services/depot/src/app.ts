import { randomUUIDv7 } from 'node:crypto';
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { migrate } from '@acme/postgres/migrations';
// <list>
import { openServiceKeys } from '@acme/postgres/keys';
// </list>
import { openPool, openReadiness } from '@acme/postgres/pool';
import { createLogger } from '@acme/rpc/logging';
import { serve, startService } from '@acme/rpc/server';
// <list>
import { createPageTokens } from '@acme/rpc/tokens';
// </list>
import { createFrontDeskService } from './front-desk-service.ts';
import type { Config } from './config.ts';
import { toStatus } from './error-map.ts';
import { createSparePartStore } from './spare-part-store.ts';

export interface App {
  readonly port: number;
  /** Maximum duration of `close`, in ms. */
  readonly closeTimeoutMs: number;
  close(): Promise<void>;
}

/** Starts the service. If it fails, it throws an error with a one-line message and leaves nothing open. */
export async function startApp({ server, databaseUrl }: Config): Promise<App> {
  await using starting = new AsyncDisposableStack();
  const log = createLogger({ service: 'depot', level: server.logLevel, pretty: !server.production });
  await migrate(databaseUrl, new URL('../migrations/', import.meta.url));
  const pool = starting.adopt(
    openPool({
      url: databaseUrl,
      max: 10,
      applicationName: 'depot',
      onError: (err) => log.warn({ err }, 'idle database connection lost'),
    }),
    (pool) => pool.end(),
  );
  const readiness = starting.adopt(openReadiness(databaseUrl, 'depot'), (each) => each.close());

  // <list>
  const tokenKeys = starting.adopt(
    await openServiceKeys(pool, 'page_token', (err) => log.warn({ err }, 'service keys cannot be read')),
    (each) => each.close(),
  );
  // </list>
  const service = starting.adopt(
    await startService({
      config: server,
      log,
      services: [
        serve(
          FrontDeskService,
          createFrontDeskService({
            store: createSparePartStore(pool, { now: () => new Date(), newId: randomUUIDv7 }),
            // <list>
            pageTokens: createPageTokens(tokenKeys, 'ListSpareParts'),
            // </list>
          }),
        ),
      ],
      errorMap: toStatus,
      checkReadiness: readiness.check,
    }),
    (each) => each.drain(),
  );
  const running = starting.move();
  const { port, closeTimeoutMs } = service;
  return { port, closeTimeoutMs, close: () => running.disposeAsync() };
}
