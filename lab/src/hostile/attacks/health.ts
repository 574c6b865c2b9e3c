import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { HealthCheckRequestSchema } from '@acme/rpc/gen/grpc/health/v1/health_pb';
import { grpcFrame } from '@acme/rpc/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, inTurn, many } from '../attack/loops.ts';
import { answerWithin, connectGrpc, requestOf } from '../wire/grpc-calls.ts';

const watchPath = '/grpc.health.v1.Health/Watch';
const checkPath = '/grpc.health.v1.Health/Check';
const megabyte = 1_000_000;
const callTimeoutMs = 3000;

/** Calls of the health service, which requires no token. */
export const health: readonly Attack[] = [
  {
    name: 'health-names',
    sends: '430 health watches with service names of 1 MB, cancelled at once',
    run: watchLongNames,
  },
  {
    name: 'health-check-name',
    sends: 'health checks with names of 20 kB to 1 MB on a connection that other calls share',
    run: checkLongNames,
  },
  {
    name: 'health-watches',
    sends: '5,000 open health watches with names of 1 kB',
    run: openWatches,
  },
];

async function watchLongNames({ port, isShort }: AttackContext): Promise<void> {
  const connections = many(4, () => connectGrpc(port));
  await inParallel(isShort ? 300 : 430, 8, async (index) => {
    const { stream } = inTurn(connections, index).call(
      watchPath,
      healthRequest(`${index} `.padEnd(megabyte, 'n')),
    );
    if (!stream) return;
    const established = new Promise((resolve) => {
      stream.once('data', resolve);
      stream.once('close', resolve);
    });
    await Promise.race([established, sleep(callTimeoutMs)]);
    stream.close(8);
  });
}

async function checkLongNames({ port, token, expect, isShort }: AttackContext): Promise<void> {
  const connection = connectGrpc(port);
  const { listOrders } = OrderService.method;
  const watch = connection.call(watchPath, healthRequest(''));
  let isOver = false;
  watch.answered.then(({ code }) =>
    expect(isOver, `a health watch on the attacker's connection ended with ${code}`),
  );
  const call = async () => {
    const answering = connection.call(methodPath(listOrders), requestOf(listOrders, {}), { token });
    const { code, message } = await answerWithin(answering, callTimeoutMs);
    expect(code === Code.OK, `a call on the attacker's connection was answered ${code} ${message}`);
  };
  await call();
  for (const sizeBytes of isShort
    ? [20_000, 200_000, megabyte]
    : [20_000, 60_000, 200_000, 500_000, megabyte]) {
    const checking = connection.call(checkPath, healthRequest('n'.repeat(sizeBytes)));
    await Promise.all([call(), answerWithin(checking, callTimeoutMs), call()]);
    await call();
  }
  isOver = true;
}

async function openWatches({ port, isShort }: AttackContext): Promise<void> {
  const connections = many(5, () => connectGrpc(port));
  const count = isShort ? 3000 : 5000;
  await inParallel(count, 100, async (index) => {
    const { stream } = inTurn(connections, index).call(
      watchPath,
      healthRequest(`${index} `.padEnd(1000, 'w')),
    );
    await sleep(10);
    stream?.resume();
  });
  await sleep(1000);
}

function healthRequest(service: string): Buffer {
  return grpcFrame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));
}
