import { randomUUIDv7 } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openServiceKeys } from '@acme/postgres/keys';
import { migrate } from '@acme/postgres/migrations';
import { openPool, openReadiness, preferIndexScans } from '@acme/postgres/pool';
import { forgetRequests, startSweeper } from '@acme/postgres/transaction';
import {
  CircuitOpenError,
  channelCredentials,
  createCircuitBreaker,
  createClient,
  tokenFile,
} from '@acme/rpc/client';
import { Code, RpcError } from '@acme/rpc/errors';
import { createLogger } from '@acme/rpc/logging';
import { runDetached, serve, startService } from '@acme/rpc/server';
import { createPageTokens, createResumeTokens } from '@acme/rpc/tokens';
import type { DescService } from '@bufbuild/protobuf';
import type { Config } from './config.ts';
import { poolSizes } from './connections.ts';
import { toStatus } from './error-map.ts';
import { createCancellationStore } from './order/cancellation-store.ts';
import { createErasureStore } from './order/erasure-store.ts';
import { openOrderFeed } from './order/order-feed.ts';
import { createOrderCounter, type OnTransition } from './order/order-metrics.ts';
import { createOrderStore } from './order/order-store.ts';
import { createPlacementStore, orderRequests } from './order/placement-store.ts';
import { createOrderService } from './order-service.ts';
import { createPlaceOrder } from './place-order.ts';
import { createSettleOrder, type OnUnsettled } from './settling/settle-order.ts';
import { createSettlementStore } from './settling/settlement-store.ts';
import { startSettler } from './settling/settler.ts';
import { startUnsettledOrdersMonitor } from './settling/unsettled-orders-monitor.ts';
import { circuitStateOf } from './steps/step.ts';
import { createStockStep } from './steps/stock-step.ts';

export interface App {
  readonly port: number;
  /** Maximum duration of `close`, in ms. */
  readonly closeTimeoutMs: number;
  close(): Promise<void>;
}

/** Slightly longer than PlaceOrder's deadline in the contract. */
const settleGraceMs = 2500;

/** Starts the service. If it fails, it throws an error with a one-line message and leaves nothing open. */
export async function startApp(config: Config): Promise<App> {
  await using starting = new AsyncDisposableStack();
  const log = createLogger({
    service: 'orders',
    level: config.server.logLevel,
    pretty: !config.server.production,
  });
  await migrate(config.databaseDirectUrl, new URL('../migrations/', import.meta.url));
  const openNamedPool = (kind: string, max: number) =>
    starting.adopt(
      openPool({
        url: config.databaseUrl,
        max,
        applicationName: `orders${kind}`,
        settings: preferIndexScans,
        onError: (err) => log.warn({ err }, 'idle database connection lost'),
      }),
      (pool) => pool.end(),
    );
  const pool = openNamedPool('', poolSizes.placing);
  const readPool = openNamedPool(' reads', poolSizes.reads);
  const cancelPool = openNamedPool(' cancels', poolSizes.cancels);
  const readiness = starting.adopt(openReadiness(config.databaseUrl, 'orders'), (each) => each.close());

  const now = () => new Date();
  const feed = starting.adopt(
    openOrderFeed({
      url: config.databaseUrl,
      directUrl: config.databaseDirectUrl,
      retentionMs: config.eventRetentionMs,
      onError: (err) => log.warn({ err }, 'change feed'),
    }),
    (each) => each.close(),
  );
  const countOrder = createOrderCounter();
  const onTransition: OnTransition = (order) => {
    countOrder(order);
    feed.notify();
  };
  const settlements = createSettlementStore(pool, now, onTransition);
  const connect = async <Service extends DescService>(
    name: string,
    service: Service,
    { target, token }: { target: string; token: string | undefined },
  ) => ({
    client: starting.use(
      createClient(service, {
        target,
        token: token === undefined ? undefined : tokenFile(token),
        credentials: await channelCredentials(config.server.tls, {
          developmentCertificates: !config.server.production,
          log,
        }),
      }),
    ),
    circuitBreaker: createCircuitBreaker({ name, log }),
  });
  const stock = { target: config.inventoryTarget, token: config.tokenFile };
  /** The steps of an order, in the order in which they are asked. */
  const steps = [createStockStep(await connect('inventory', InventoryService, stock))];
  const onUnsettled: OnUnsettled = (order, err, attempts) => {
    log[unsettledLogLevel(err)](
      { err, order_id: order.id, attempts },
      `order stays ${order.state}, the settler will retry`,
    );
  };
  const settle = createSettleOrder({
    steps,
    store: settlements,
    onUnsettled,
    nowMs: () => performance.now(),
  });
  const settler = starting.adopt(
    startSettler({ store: settlements, settle, steps, onUnsettled, log }),
    (each) => each.stop(),
  );
  starting.adopt(startUnsettledOrdersMonitor({ pool, log, nowMs: () => performance.now() }), (each) =>
    each.stop(),
  );

  starting.adopt(
    startSweeper({
      removeBatch: (limit) => forgetRequests(readPool, orderRequests, config.requestIdRetentionMs, limit),
      onError: (err) => log.warn({ err }, 'old requests cannot be forgotten'),
    }),
    (each) => each.close(),
  );

  const tokenKeys = starting.adopt(
    await openServiceKeys(pool, 'page_token', (err) => log.warn({ err }, 'service keys cannot be read')),
    (each) => each.close(),
  );
  const service = starting.adopt(
    await startService({
      config: config.server,
      log,
      services: [
        serve(
          OrderService,
          createOrderService({
            orders: createOrderStore(readPool),
            cancellations: createCancellationStore(cancelPool, now, onTransition),
            erasures: createErasureStore(readPool),
            placeOrder: createPlaceOrder({
              store: createPlacementStore(pool, { now, settleGraceMs, onTransition }),
              settle,
              isUnavailable: () => circuitStateOf(steps) !== 'closed',
              detach: (work) => void runDetached(work),
              newId: randomUUIDv7,
              nowMs: Date.now,
            }),
            feed,
            pageTokens: createPageTokens(tokenKeys, 'ListOrders'),
            resumeTokens: createResumeTokens(tokenKeys, 'WatchOrders'),
            onCancelled: settler.wake,
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

function unsettledLogLevel(cause: unknown): 'debug' | 'warn' | 'error' {
  // The circuit breaker has already logged the reason.
  if (cause instanceof CircuitOpenError) return 'debug';
  // Inventory rejects the credentials of orders. Retries do not help, so the operator has to act.
  const isDenied =
    cause instanceof RpcError && [Code.UNAUTHENTICATED, Code.PERMISSION_DENIED].includes(cause.code);
  return isDenied ? 'error' : 'warn';
}
