import { writeFile } from 'node:fs/promises';
import { freePort } from '@acme/dev/start';
import { startFaultProxy, startOtlpCollector } from '@acme/rpc/testing';
import { makeServiceEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

/**
 * Starts both services as processes that export traces, metrics and logs to a collector, and metrics for Prometheus too.
 * A proxy is between orders and inventory.
 */
export async function startObservedPair() {
  await using started = new AsyncDisposableStack();
  const collector = started.use(await startOtlpCollector());
  const inventoryEnvironment = started.use(await makeServiceEnvironment());
  const ordersEnvironment = started.use(await makeServiceEnvironment());
  const { keys, variables } = ordersEnvironment;
  // The exporter treats port 0 as its default port, so free ports are chosen here.
  const ports = { inventory: await freePort(), orders: await freePort() };
  const start = (service: 'orders' | 'inventory', environment: Readonly<Record<string, string>>) =>
    started.use(
      startServiceProcess(service, {
        ...variables,
        ...environment,
        ...collector.environment,
        // Without client certificates, inventory would ignore the trace context of orders.
        TRACE_CONTEXT: 'all',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_METRICS_EXPORTER: 'otlp,prometheus',
        OTEL_METRIC_EXPORT_INTERVAL: '2000',
        OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
        OTEL_EXPORTER_PROMETHEUS_PORT: String(ports[service]),
      }),
    );
  const inventory = start('inventory', {
    DATABASE_URL: inventoryEnvironment.variables.DATABASE_URL,
    AUTH_AUDIENCE: 'inventory',
  });
  const inventoryTarget = await inventory.target;
  const proxy = started.use(await startFaultProxy({ target: inventoryTarget }));
  const orders = start('orders', { INVENTORY_TARGET: proxy.target, AUTH_AUDIENCE: 'orders' });
  const ordersTarget = await orders.target;
  await writeFile(
    variables.AUTH_TOKEN_FILE ?? '',
    await keys.sign({ sub: 'orders', aud: 'inventory', scope: 'inventory:reserve' }),
  );
  const running = started.move();
  return {
    collector,
    keys,
    proxy,
    ordersTarget,
    inventoryTarget,
    databases: { orders: variables.DATABASE_URL, inventory: inventoryEnvironment.variables.DATABASE_URL },
    logs: { orders: () => linesOf(orders.stdout()), inventory: () => linesOf(inventory.stdout()) },
    stderr: () => orders.stderr() + inventory.stderr(),
    /** Returns the metrics in Prometheus's text format. */
    scrape: async (service: 'orders' | 'inventory') =>
      (await fetch(`http://127.0.0.1:${ports[service]}/metrics`)).text(),
    /** Stops both services, which flush their spans first. */
    stop: async () => {
      for (const service of [orders, inventory]) {
        service.signal('SIGTERM');
        await service.ended;
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function linesOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
