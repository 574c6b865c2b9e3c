import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { scopesOf } from '../attack/attack.ts';
import { inParallel, inTurn, many } from '../attack/loops.ts';
import { answerWithin, connectGrpc, requestOf } from '../wire/grpc-calls.ts';

const { listOrders, getOrder, cancelOrder, placeOrder } = OrderService.method;
const callTimeoutMs = 5000;
const largestInt32 = 2 ** 31 - 1;
const smallestInt32 = -(2 ** 31);

/** Names that a replica might retain, and numbers that it might miscount. */
export const names: readonly Attack[] = [
  {
    name: 'many-names',
    sends: '10,000 calls, each of another subject, with another request id, user agent and page token',
    prepare: ({ cluster, isShort }) =>
      Promise.all(
        many(isShort ? 2000 : 10_000, (index) => cluster.token(`subject-${index}`, scopesOf.orders)),
      ),
    run: callUnderManyNames,
  },
  {
    name: 'edge-numbers',
    sends: 'timeouts, page sizes, quantities and etags at the edges of 32 and 53 bits',
    run: sendEdgeNumbers,
  },
];

async function callUnderManyNames({ port, prepared }: AttackContext): Promise<void> {
  const connections = many(4, () => connectGrpc(port));
  await inParallel(prepared.length, 30, (index) => {
    const isBad = index % 2 === 0;
    const body = requestOf(listOrders, isBad ? { pageToken: `token-${index}` } : { pageSize: 1 });
    return answerWithin(
      inTurn(connections, index).call(methodPath(listOrders), body, {
        token: prepared[index],
        headers: {
          'x-request-id': `request-${index}`,
          'user-agent': `agent-${index}`,
          [`x-name-${index}`]: '1',
        },
      }),
      callTimeoutMs,
    );
  });
}

async function sendEdgeNumbers({ port, token, expect, isShort }: AttackContext): Promise<void> {
  const connections = many(2, () => connectGrpc(port));
  const id = crypto.randomUUID();
  const timeouts = ['720H', '597H', '596H', '1193H', '99999999H', '99999999S', '35791394M', '2147483648m'];
  const never = [Code.INTERNAL, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, undefined];
  const expectAnswer = async (text: string, answering: ReturnType<(typeof connections)[0]['call']>) => {
    const { code, message } = await answerWithin(answering, callTimeoutMs);
    expect(!never.includes(code), `${text} was answered ${code ?? 'nothing'} ${message}`);
  };
  const requests: Record<string, Buffer> = {
    'page_size 2^31-1': requestOf(listOrders, { pageSize: largestInt32 }),
    'page_size -2^31': requestOf(listOrders, { pageSize: smallestInt32 }),
  };
  const lines = (quantity: number) => ({
    requestId: crypto.randomUUID(),
    lines: [{ sku: 'bystander', quantity }],
  });
  await inParallel(isShort ? 100 : 1000, 10, async (index) => {
    const connection = inTurn(connections, index);
    const timeout = inTurn(timeouts, index);
    const headers = { 'grpc-timeout': timeout };
    await expectAnswer(
      `grpc-timeout ${timeout}`,
      connection.call(methodPath(getOrder), requestOf(getOrder, { id }), { token, headers }),
    );
    for (const [text, body] of Object.entries(requests))
      await expectAnswer(text, connection.call(methodPath(listOrders), body, { token }));
    for (const quantity of [largestInt32, smallestInt32, 0, -1])
      await expectAnswer(
        `quantity ${quantity}`,
        connection.call(methodPath(placeOrder), requestOf(placeOrder, lines(quantity)), { token }),
      );
    const etag = String(Number.MAX_SAFE_INTEGER + index);
    await expectAnswer(
      `etag ${etag}`,
      connection.call(methodPath(cancelOrder), requestOf(cancelOrder, { id, etag }), { token }),
    );
  });
}
