import { randomUUIDv7 } from 'node:crypto';
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import { migrate } from '@acme/postgres/migrations';
import { openServiceKeys } from '@acme/postgres/keys';
import { openPool, openReadiness } from '@acme/postgres/pool';
import { createLogger } from '@acme/rpc/logging';
import { serve, startService } from '@acme/rpc/server';
import { createPageTokens, createResumeTokens } from '@acme/rpc/tokens';
import { createFrontDeskService } from './front-desk-service.ts';
import type { Config } from './config.ts';
import { poolSizes } from './connections.ts';
import { toStatus } from './error-map.ts';
import { createSparePartChangeStore } from './spare-part-change-store.ts';
import { openSparePartFeed } from './spare-part-feed.ts';
import { createSparePartStore } from './spare-part-store.ts';
import { createSettleWork } from './settle-spare-part.ts';
import { createSettlementStore } from './settlement-store.ts';
import { startSettler } from './settler.ts';
import { openSupplier } from './supplier.ts';

export interface App {
  readonly port: number;
  /** Maximum duration of `close`, in ms. */
  readonly closeTimeoutMs: number;
  close(): Promise<void>;
}

/** Starts the service. If it fails, it throws an error with a one-line message and leaves nothing open. */
export async function startApp(config: Config): Promise<App> {
  const { server, databaseUrl, databaseDirectUrl } = config;
  await using starting = new AsyncDisposableStack();
  const log = createLogger({ service: 'depot', level: server.logLevel, pretty: !server.production });
  await migrate(databaseDirectUrl, new URL('../migrations/', import.meta.url));
  const pool = starting.adopt(
    openPool({
      url: databaseUrl,
      max: poolSizes.calls,
      applicationName: 'depot',
      onError: (err) => log.warn({ err }, 'idle database connection lost'),
    }),
    (pool) => pool.end(),
  );
  // <resource>
  const now = () => new Date();
  // </resource>
  const readiness = starting.adopt(openReadiness(databaseUrl, 'depot'), (each) => each.close());

  // <watch>
  const feed = starting.adopt(
    openSparePartFeed({
      url: databaseUrl,
      directUrl: databaseDirectUrl,
      onError: (err) => log.warn({ err }, 'change feed'),
    }),
    (each) => each.close(),
  );
  // </watch>
  // <calls>
  const supplier = starting.use(await openSupplier(config.supplier, { server, log }));
  // </calls>
  // <settle>
  const settler = starting.adopt(
    startSettler({
      store: createSettlementStore(pool, now),
      work: createSettleWork(
        // <calls>
        supplier,
        // </calls>
      ),
      // <watch>
      onSettled: feed.notify,
      // </watch>
      log,
    }),
    (each) => each.stop(),
  );
  // </settle>
  // <list|watch>
  const tokenKeys = starting.adopt(
    await openServiceKeys(pool, 'page_token', (err) => log.warn({ err }, 'service keys cannot be read')),
    (each) => each.close(),
  );
  // </list|watch>
  const service = starting.adopt(
    await startService({
      config: server,
      log,
      services: [
        serve(
          FrontDeskService,
          createFrontDeskService({
            // <resource>
            store: createSparePartStore(pool, { now, newId: randomUUIDv7 }),
            // </resource>
            // <no-resource>
            pool,
            // </no-resource>
            // <list>
            pageTokens: createPageTokens(tokenKeys, 'ListSpareParts'),
            // </list>
            // <change>
            changes: createSparePartChangeStore(pool, now),
            // </change>
            // <watch>
            feed,
            resumeTokens: createResumeTokens(tokenKeys, 'WatchSpareParts'),
            // </watch>
            // <no-settle>
            // <calls>
            supplier,
            // </calls>
            // </no-settle>
            // <settle>
            onPending: settler.wake,
            // </settle>
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
