import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { fromBinary } from '@bufbuild/protobuf';
import type { Attack, AttackContext, AttackSetup } from '../attack/attack.ts';
import { forDuration, inTurn, many } from '../attack/loops.ts';
import { makeOrderHistory } from '../attack/order-history.ts';
import { answerWithin, connectGrpc, requestOf } from '../wire/grpc-calls.ts';

const { listOrders } = OrderService.method;
const orderCount = 200;
const callTimeoutMs = 10_000;

/** Pages that are small by count and large by bytes. */
export const pages: readonly Attack[] = [
  {
    name: 'large-pages',
    sends: 'ten concurrent loops of ListOrders with page_size 200 over 200 orders of 1,000 lines',
    prepare: prepareLargeOrders,
    run: listLargePages,
  },
  {
    name: 'large-pages-unread',
    sends: 'hundreds of the same ListOrders at a flow-control window of 0',
    prepare: prepareLargeOrders,
    run: leavePagesUnread,
  },
];

async function prepareLargeOrders(setup: AttackSetup): Promise<readonly string[]> {
  return [await makeOrderHistory(setup, { orders: orderCount, linesPerOrder: 1000 })];
}

async function listLargePages(context: AttackContext): Promise<void> {
  const { port, token, isShort, expect } = context;
  const connections = many(4, () => connectGrpc(port));
  const counted = await countByPages(context);
  expect(counted === orderCount, `${counted} of ${orderCount} orders were found by their pages`);
  const body = requestOf(listOrders, { pageSize: 200 });
  await forDuration(isShort ? 3000 : 10_000, 10, (index) =>
    answerWithin(inTurn(connections, index).call(methodPath(listOrders), body, { token }), callTimeoutMs),
  );
}

/** Reads all pages of the default size. A page may end early when it is full by bytes (AIP-158). */
async function countByPages({ port, token, expect }: AttackContext): Promise<number> {
  using connection = connectGrpc(port);
  let count = 0;
  for (let pageToken = ''; ; ) {
    const body = requestOf(listOrders, { pageToken });
    const answer = await answerWithin(
      connection.call(methodPath(listOrders), body, { token }),
      callTimeoutMs,
    );
    expect(answer.code === Code.OK, `a default ListOrders was answered ${answer.code} ${answer.message}`);
    if (answer.code !== Code.OK) return count;
    const page = fromBinary(listOrders.output, answer.body.subarray(5));
    count += page.orders.length;
    pageToken = page.nextPageToken;
    if (pageToken === '') return count;
  }
}

async function leavePagesUnread({ port, token, isShort }: AttackContext): Promise<void> {
  const connections = many(5, () => connectGrpc(port, { initialWindowBytes: 0 }));
  const body = requestOf(listOrders, { pageSize: 200 });
  for (let index = 0; index < (isShort ? 200 : 600); index++) {
    inTurn(connections, index).call(methodPath(listOrders), body, { token });
    if (index % 5 === 0) await sleep(50);
  }
  await sleep(1000);
}
