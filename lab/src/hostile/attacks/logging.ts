import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, inTurn, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames, streamIdOf } from '../wire/frames.ts';
import { answerWithin, connectGrpc } from '../wire/grpc-calls.ts';
import { requestFields } from '../wire/hpack.ts';
import { connectRaw } from '../wire/raw-connection.ts';

const emptyRequest = grpcFrame(Buffer.alloc(0));
const path = methodPath(OrderService.method.listOrders);
const callTimeoutMs = 5000;
/** Latin-1, outside of ASCII: RFC 9110 allows the byte, gRPC does not. */
const illegalByte = '\xe9';

/** Texts that callers send and that must not be in the log. The canary is in each of them. */
export const logging: readonly Attack[] = [
  {
    name: 'log-tokens',
    sends: '200 calls whose authorization header of 50 kB holds one byte outside of ASCII',
    run: sendIllegalTokens,
  },
  {
    name: 'log-paths',
    sends: '10,000 calls of methods that do not exist, each under another name',
    run: callMadeUpMethods,
  },
  {
    name: 'log-headers',
    sends: '5,000 calls with made-up content types, encodings, timeouts, trace contexts and request ids',
    run: sendMadeUpHeaders,
  },
];

async function sendIllegalTokens({ port, canary, isShort }: AttackContext): Promise<void> {
  const count = isShort ? 100 : 200;
  const connection = await connectRaw(port);
  for (let index = 0; index < count; index++) {
    const token = `Bearer ${canary}${index}${'t'.repeat(50_000)}${illegalByte}${canary}`;
    const fields = requestFields(path, { authorization: token, 'x-other': `${canary}${illegalByte}` });
    await connection.write(
      Buffer.concat([
        headerFrames(streamIdOf(index), fields),
        frame(frameType.data, frameFlag.endStream, streamIdOf(index), emptyRequest),
      ]),
    );
    await sleep(5);
  }
}

async function callMadeUpMethods({ port, canary, token, isShort }: AttackContext): Promise<void> {
  const connections = many(4, () => connectGrpc(port));
  const paths = [
    (index: number) => `/orders.v1.OrderService/${canary}${index}`,
    (index: number) => `/${canary}${index}.v1.Service/Method`,
    (index: number) => `/${canary}/${index}/${'p'.repeat(1000)}`,
  ];
  await inParallel(isShort ? 4000 : 10_000, 50, (index) =>
    answerWithin(
      inTurn(connections, index).call(inTurn(paths, index)(index), emptyRequest, {
        token: index % 5 === 0 ? token : undefined,
      }),
      callTimeoutMs,
    ),
  );
}

async function sendMadeUpHeaders({ port, canary, token, isShort }: AttackContext): Promise<void> {
  const connections = many(4, () => connectGrpc(port));
  const long = `${'l'.repeat(2000)}${canary}`;
  const headers = [
    { 'content-type': `text/${canary}` },
    { 'content-type': `application/grpc+${canary}` },
    { 'grpc-encoding': canary },
    { 'grpc-accept-encoding': canary },
    { 'grpc-timeout': canary },
    { 'x-request-id': long },
    { 'x-request-id': `${canary}${illegalByte}` },
    { traceparent: `00-${canary}-01` },
    { tracestate: `${canary}=${illegalByte}`, baggage: `${canary}${illegalByte}=1` },
    { 'user-agent': `${canary}${illegalByte}` },
    { 'some-bin': `${canary}!!!` },
    { authorization: `Basic ${canary}` },
    { authorization: `Bearer ${canary}.${canary}.${canary}` },
    { [`x-${canary}`]: `${canary}${illegalByte}` },
    { 'x-large': canary.repeat(400) },
  ];
  await inParallel(isShort ? 1600 : 5000, 40, (index) =>
    answerWithin(
      inTurn(connections, index).call(path, emptyRequest, {
        token: 'authorization' in inTurn(headers, index) ? undefined : token,
        headers: inTurn(headers, index),
      }),
      callTimeoutMs,
    ),
  );
}
