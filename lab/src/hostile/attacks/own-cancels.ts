import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { Code, codeName, RpcError } from '@acme/rpc/errors';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, many } from '../attack/loops.ts';

/** Longer than the deadline of the cancelled calls, shorter than that of the others. */
const databaseDelayMs = 60;
const cancelDeadlineMs = 30;
const waveMs = 60;
/** Long enough for a busy machine: only the loss of the connection is a failure here. */
const otherDeadlineMs = 5000;

/** A client that cancels some of its calls and waits for others. */
export const ownCancels: readonly Attack[] = [
  {
    name: 'own-cancels',
    sends:
      '1,500 calls with a deadline of 30 ms over one client of `@acme/rpc`, beside other calls and a watch',
    // With a slow database the calls are still open at their deadline, and are reset.
    prepare: async ({ replica }) => {
      replica.databaseLink.inject('downstream', { delayMs: databaseDelayMs });
      return [];
    },
    // PlaceOrder waits for the slow database several times.
    limits: { p99Ms: 2000 },
    run: cancelOwnCalls,
  },
];

async function cancelOwnCalls({ port, token, expect, note }: AttackContext): Promise<void> {
  using client = createClient(OrderService, { target: `127.0.0.1:${port}`, token: () => token });
  const ended = new AbortController();
  const failed = (what: string) => (error: unknown) => {
    if (!ended.signal.aborted) expect(false, `${what} ended with ${describe(error)}`);
  };
  const watch = async () => {
    for await (const _ of client.watchOrders({}, { signal: ended.signal }));
  };
  const watching = watch().then(
    () => failed('a watch')('OK'),
    (error) => {
      // By the contract, a caller resumes the watch after UNAVAILABLE.
      if (!(error instanceof RpcError && error.code === Code.UNAVAILABLE)) failed('a watch')(error);
    },
  );
  const id = crypto.randomUUID();
  let others = 0;
  const callOthers = async () => {
    while (!ended.signal.aborted) {
      await client.getOrder({ id }, { deadlineMs: otherDeadlineMs }).catch((error) => {
        if (!(error instanceof RpcError && error.code === Code.NOT_FOUND)) failed('another call')(error);
      });
      others++;
    }
  };
  const calling = inParallel(4, 4, callOthers);
  let cancelled = 0;
  for (let wave = 0; wave < 15; wave++) {
    const calls = many(100, () =>
      client.getOrder({ id }, { deadlineMs: cancelDeadlineMs }).catch((error) => {
        if (error instanceof RpcError && error.code === Code.DEADLINE_EXCEEDED) cancelled++;
      }),
    );
    await Promise.all([...calls, sleep(waveMs)]);
  }
  await sleep(500);
  ended.abort();
  await Promise.all([calling, watching]);
  note(`${cancelled} calls passed their deadline beside ${others} others`);
}

function describe(error: unknown): string {
  return error instanceof RpcError ? `${codeName(error.code)} ${error.message}` : String(error);
}
