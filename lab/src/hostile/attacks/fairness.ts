import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { forDuration, inParallel, inTurn, many } from '../attack/loops.ts';
import { answerWithin, connectGrpc, requestOf } from '../wire/grpc-calls.ts';

const { listOrders, placeOrder, watchOrders } = OrderService.method;
const callTimeoutMs = 5000;

/** One caller that exhausts shared resources. */
export const fairness: readonly Attack[] = [
  {
    name: 'fairness-calls',
    sends: 'one customer keeps 1,000 unary calls in flight',
    run: keepCallsInFlight,
  },
  {
    name: 'fairness-streams',
    sends: 'one customer opens 13,000 watches',
    run: openAllStreams,
  },
  {
    name: 'forged-tokens',
    sends: '600 calls in flight with forged tokens: wrong signatures and unknown keys',
    run: sendForgedTokens,
  },
];

async function keepCallsInFlight({ port, token, isShort, note }: AttackContext): Promise<void> {
  const connections = many(8, () => connectGrpc(port));
  const calls = await forDuration(isShort ? 4000 : 15_000, isShort ? 500 : 1000, async (index) => {
    const connection = inTurn(connections, index);
    const lines = [{ sku: 'bystander', quantity: 1 }];
    const answering =
      index % 4 === 0
        ? connection.call(
            methodPath(placeOrder),
            requestOf(placeOrder, { requestId: crypto.randomUUID(), lines }),
            { token },
          )
        : connection.call(methodPath(listOrders), requestOf(listOrders, {}), { token });
    await answerWithin(answering, callTimeoutMs);
  });
  note(`${calls} calls`);
}

async function openAllStreams({ port, token, isShort, note }: AttackContext): Promise<void> {
  const connections = many(15, () => connectGrpc(port));
  let open = 0;
  await inParallel(isShort ? 8000 : 13_000, 100, async (index) => {
    const watch = inTurn(connections, index).call(methodPath(watchOrders), requestOf(watchOrders, {}), {
      token,
    });
    open++;
    watch.answered.then(() => open--);
    watch.stream?.resume();
    await sleep(isShort ? 40 : 100);
  });
  note(`${open} watches stayed open`);
  await sleep(2500);
}

async function sendForgedTokens({ port, token, isShort, note, random }: AttackContext): Promise<void> {
  const connections = many(6, () => connectGrpc(port));
  const calls = await forDuration(isShort ? 4000 : 15_000, isShort ? 400 : 600, async (index) => {
    const forged = forge(token, random.uuid(), index % 2 === 0);
    const answering = inTurn(connections, index).call(methodPath(listOrders), requestOf(listOrders, {}), {
      token: forged,
    });
    await answerWithin(answering, callTimeoutMs);
  });
  note(`${calls} calls`);
}

/** Returns a new token with the claims of this one and a wrong signature. */
function forge(token: string, id: string, knownKey: boolean): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const fields = JSON.parse(Buffer.from(header, 'base64url').toString());
  return [encode(knownKey ? fields : { ...fields, kid: id }), encode({ ...claims, jti: id }), signature].join(
    '.',
  );
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
