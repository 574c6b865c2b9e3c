/**
 * The page of `test-web-port.ts`. It calls orders as an application in a browser does, with connect-web and the generated
 * code, and posts what it has seen to its own server.
 */

import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { BadRequestSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import type { PageReport, PageTask } from './page-report.ts';

/** The types of Node have no `location`. */
const { location } = globalThis as unknown as { location: { hash: string } };
const { ordersUrl, token }: PageTask = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const lines = [{ sku: 'SAT-0001', quantity: 2 }];

async function useOrders(transport: ReturnType<typeof createConnectTransport>): Promise<PageReport> {
  const orders = createClient(OrderService, transport);
  const violations = await orders.placeOrder({ requestId: 'no uuid', lines: [] }).then(
    () => [],
    (error: unknown) => fieldsOf(ConnectError.from(error)),
  );
  const leaving = new AbortController();
  const watch = orders.watchOrders({}, { signal: leaving.signal })[Symbol.asyncIterator]();
  // The first response says that the watch has begun.
  await watch.next();
  const { order } = await orders.placeOrder({ requestId: crypto.randomUUID(), lines }, { timeoutMs: 5000 });
  let watchedStates = 0;
  for (let seen: Order | undefined; seen?.id !== order?.id || seen?.state !== Order_State.CONFIRMED; ) {
    seen = (await watch.next()).value?.order;
    if (seen?.id === order?.id) watchedStates++;
  }
  leaving.abort();
  const listed = await orders.listOrders({ pageSize: 5 });
  return {
    violations,
    orderId: order?.id ?? '',
    watchedStates,
    isListed: listed.orders.some(({ id }) => id === order?.id),
    error: '',
  };
}

function fieldsOf(error: ConnectError): string[] {
  if (error.code !== Code.InvalidArgument) throw error;
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field));
}

async function run(): Promise<void> {
  const withToken: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${token}`);
    return next(request);
  };
  const options = { baseUrl: ordersUrl, useHttpGet: true, interceptors: [withToken] };
  for (const transport of [createConnectTransport(options), createGrpcWebTransport(options)]) {
    const failed = { violations: [], orderId: '', watchedStates: 0, isListed: false };
    const report = await useOrders(transport).catch((error: unknown) => ({
      ...failed,
      error: String(error),
    }));
    await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
  }
}

run();
