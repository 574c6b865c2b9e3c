import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { openServiceKeys } from '@acme/postgres/keys';
import { migrate } from '@acme/postgres/migrations';
import { openPool, openReadiness, type PoolOptions, preferIndexScans } from '@acme/postgres/pool';
import { startSweeper } from '@acme/postgres/transaction';
import { createLogger } from '@acme/rpc/logging';
import { serve, startService } from '@acme/rpc/server';
import { createPageTokens, createResumeTokens } from '@acme/rpc/tokens';
import type { Config } from './config.ts';
import { poolSizes } from './connections.ts';
import { toStatus } from './error-map.ts';
import { createInventoryService } from './inventory-service.ts';
import { createCountStore } from './stock/count-store.ts';
import { removeEndedReservations } from './stock/ended-reservations.ts';
import { createImportStore } from './stock/import-store.ts';
import { createReleaseStore } from './stock/release-store.ts';
import { createReservationList } from './stock/reservation-list.ts';
import { createReservationCounter, type OnTransition } from './stock/reservation-metrics.ts';
import { createReservationStore } from './stock/reservation-store.ts';
import { openStockFeed } from './stock/stock-feed.ts';
import { createStockStore } from './stock/stock-store.ts';

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
  const log = createLogger({
    service: 'inventory',
    level: server.logLevel,
    pretty: !server.production,
  });
  await migrate(databaseDirectUrl, new URL('../migrations/', import.meta.url));
  const openNamedPool = (kind: string, options: Pick<PoolOptions, 'max' | 'maxWaitMs' | 'settings'>) =>
    starting.adopt(
      openPool({
        url: databaseUrl,
        applicationName: `inventory${kind}`,
        onError: (err) => log.warn({ err }, 'idle database connection lost'),
        ...options,
      }),
      (pool) => pool.end(),
    );
  const pool = openNamedPool('', { max: poolSizes.reserves, settings: preferIndexScans });
  const releasePool = openNamedPool(' releases', { max: poolSizes.releases, settings: preferIndexScans });
  const readPool = openNamedPool(' reads', { max: poolSizes.reads, settings: preferIndexScans });
  const countPool = openNamedPool(' counts', {
    max: poolSizes.counts,
    maxWaitMs: 10_000,
    settings: preferIndexScans,
  });
  const importPool = openNamedPool(' imports', { max: poolSizes.imports });
  const readiness = starting.adopt(openReadiness(databaseUrl, 'inventory'), (each) => each.close());

  const now = () => new Date();
  const feed = starting.adopt(
    openStockFeed({
      url: databaseUrl,
      directUrl: databaseDirectUrl,
      retentionMs: config.eventRetentionMs,
      onError: (err) => log.warn({ err }, 'change feed'),
    }),
    (each) => each.close(),
  );
  const countReservation = createReservationCounter();
  const onTransition: OnTransition = (reservation) => {
    countReservation(reservation);
    feed.notify();
  };
  starting.adopt(
    startSweeper({
      removeBatch: (limit) => removeEndedReservations(readPool, config.reservationRetentionMs, limit),
      onError: (err) => log.warn({ err }, 'old reservations cannot be removed'),
    }),
    (each) => each.close(),
  );
  const stock = createStockStore(readPool);
  const tokenKeys = starting.adopt(
    await openServiceKeys(readPool, 'page_token', (err) => log.warn({ err }, 'service keys cannot be read')),
    (each) => each.close(),
  );
  const service = starting.adopt(
    await startService({
      config: server,
      log,
      services: [
        serve(
          InventoryService,
          createInventoryService({
            stock,
            reservations: createReservationStore(pool, now, onTransition),
            releases: createReleaseStore(releasePool, now, onTransition),
            reservationList: createReservationList(readPool),
            imports: createImportStore(importPool, now, feed.notify),
            counts: createCountStore(countPool, now, feed.notify),
            feed,
            pageTokens: createPageTokens(tokenKeys, 'ListStock'),
            reservationPageTokens: createPageTokens(tokenKeys, 'ListReservations'),
            resumeTokens: createResumeTokens(tokenKeys, 'WatchStock'),
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
