import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { answerWithin, connectGrpc } from '../wire/grpc-calls.ts';

const callTimeoutMs = 30_000;
const maxBytes = 1_000_000;

/** Protobuf-encoded fields, of the request or of no message. */
const field = {
  /** `lines` of PlaceOrderRequest and ReserveStockRequest, an empty message. */
  emptyLine: [0x12, 0],
  /** The same with a SKU of a control character and the quantity -1. */
  wrongLine: [0x12, 14, 0x0a, 1, 7, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
  /** `requests` of BatchReserveStockRequest, an empty message. */
  emptyReserve: [0x0a, 0],
  /** `skus` of WatchStockRequest, an empty string. */
  emptySku: [0x12, 0],
  /** Number 15, a varint of 0. */
  unknown: [0x78, 0],
  /** Number 15, the start of a group without an end. */
  groupStart: [0x7b],
} as const;

/** Requests of just under 1 MiB that are cheap to send and expensive to decode or validate. */
export const largeRequests: readonly Attack[] = [
  {
    name: 'empty-lines',
    sends: 'PlaceOrder with 500,000 empty lines, and with 62,500 lines that break every rule',
    run: (context) =>
      send(context, OrderService.method.placeOrder, [filled(field.emptyLine), filled(field.wrongLine)]),
  },
  {
    name: 'empty-batch',
    sends: 'BatchReserveStock with 500,000 empty requests; WatchStock with 500,000 empty SKUs',
    service: 'inventory',
    run: async (context) => {
      const { batchReserveStock, reserveStock, watchStock } = InventoryService.method;
      await send(context, batchReserveStock, [filled(field.emptyReserve)]);
      await send(context, reserveStock, [filled(field.emptyLine)]);
      await send(context, watchStock, [filled(field.emptySku)]);
    },
  },
  {
    name: 'unknown-fields',
    sends: '20 PlaceOrder at once with 500,000 unknown fields each, and with groups nested 1,000,000 deep',
    run: (context) =>
      send(context, OrderService.method.placeOrder, [
        ...Array.from({ length: context.isShort ? 10 : 20 }, () => filled(field.unknown)),
        filled(field.groupStart),
      ]),
  },
];

async function send(context: AttackContext, method: DescMethod, messages: readonly Buffer[]): Promise<void> {
  const { port, token, isShort, expect } = context;
  using connection = connectGrpc(port);
  for (let round = 0; round < (isShort ? 1 : 3); round++)
    await Promise.all(
      messages.map(async (message) => {
        const answering = connection.call(methodPath(method), grpcFrame(message), { token });
        const { code } = await answerWithin(answering, callTimeoutMs);
        expect(code !== undefined && code !== 0, `${method.name} of a bad request was answered ${code}`);
      }),
    );
}

/** Repeats the bytes up to `maxBytes`. */
function filled(bytes: readonly number[]): Buffer {
  return Buffer.alloc(Math.floor(maxBytes / bytes.length) * bytes.length, Buffer.from(bytes));
}
