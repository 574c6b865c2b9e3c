import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Service } from '../../cluster/cluster.ts';
import type { Random } from '../../harness/seeded-random.ts';
import { requestOf } from '../wire/grpc-calls.ts';

/** A valid request with its gRPC frame. */
export interface ValidRequest {
  readonly path: string;
  readonly body: Buffer;
}

const id = '0198c0de-0000-7000-8000-000000000001';
const lines = [
  { sku: 'mutated', quantity: 1 },
  { sku: 'other', quantity: 1_000_000 },
];
/** Varints and lengths at the edges of 7, 32 and 64 bits, and a group. */
const edges = ['00', '7f', '8001', 'ffffffff0f', '8080808010', 'ffffffffffffffffff01', '0b', 'fe'].map(
  (hex) => Buffer.from(hex, 'hex'),
);

/** Returns a valid request for each method of a service. */
export function validRequestsOf(service: Service): readonly ValidRequest[] {
  if (service === 'orders') {
    const { placeOrder, getOrder, listOrders, cancelOrder, watchOrders } = OrderService.method;
    return [
      valid(placeOrder, requestOf(placeOrder, { requestId: id, lines, customerId: 'attacker' })),
      valid(getOrder, requestOf(getOrder, { id })),
      valid(listOrders, requestOf(listOrders, { pageSize: 3, pageToken: 'none', state: 1 })),
      valid(cancelOrder, requestOf(cancelOrder, { id, etag: '1' })),
      valid(watchOrders, requestOf(watchOrders, { resumeToken: 'none' })),
    ];
  }
  const { getStock, listStock, reserveStock, batchReserveStock, releaseStock } = InventoryService.method;
  const { importStock, countStock, watchStock } = InventoryService.method;
  const requests = [{ reservationId: id, lines }];
  return [
    valid(getStock, requestOf(getStock, { sku: 'mutated' })),
    valid(listStock, requestOf(listStock, { pageSize: 3, skuPrefix: 'm' })),
    valid(reserveStock, requestOf(reserveStock, { reservationId: id, lines })),
    valid(batchReserveStock, requestOf(batchReserveStock, { requests })),
    valid(releaseStock, requestOf(releaseStock, { reservationId: id })),
    valid(
      importStock,
      requestOf(importStock, { importId: id, itemCount: 2n, item: { sku: 'm', onHand: 1n } }),
    ),
    valid(countStock, requestOf(countStock, { sku: 'none', counted: 1n })),
    valid(watchStock, requestOf(watchStock, { skus: ['mutated'] })),
  ];
}

function valid(method: DescMethod, body: Buffer): ValidRequest {
  return { path: methodPath(method), body };
}

/** Returns the bytes with one to four changes: bits, lengths, cuts, copies, insertions. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let change = random.int(1, 4); change > 0; change--) result = changed(random, result);
  return result;
}

function changed(random: Random, bytes: Buffer): Buffer {
  const at = random.int(0, bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.int(0, 5)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < bytes.length) flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << random.int(0, 7)), at);
      return flipped;
    }
    case 1:
      return before;
    case 2:
      return Buffer.concat([before, after.subarray(random.int(0, 4))]);
    case 3:
      return Buffer.concat([before, random.pick(edges), after]);
    case 4:
      return Buffer.concat([before, bytes.subarray(random.int(0, bytes.length)), after]);
    default: {
      const lied = Buffer.from(bytes);
      if (lied.length >= 5)
        lied.writeUInt32BE(random.pick([0, 1, bytes.length, 2 ** 31 - 1, 2 ** 32 - 1]), 1);
      return lied;
    }
  }
}

/** Returns random headers that replace the usual ones. */
export function mutatedHeaders(random: Random, text: string): Record<string, string> {
  return random.pick<Record<string, string>>([
    {},
    {},
    {},
    { 'grpc-timeout': random.pick(['0m', '-1S', '1n', '99999999H', 'abc', '10x5S', '']) },
    { 'grpc-encoding': random.pick(['gzip', 'deflate', 'identity', text]) },
    {
      'content-type': random.pick([
        'application/grpc+json',
        'application/grpc-web',
        text,
        'application/json',
      ]),
    },
    { 'x-request-id': random.pick([text.repeat(50), '\xe9', ' ', '']) },
    { traceparent: random.pick(['00-0-0-0', text, `00-${'f'.repeat(32)}-${'f'.repeat(16)}-ff`]) },
    { authorization: random.pick([`Bearer ${text}`, 'Bearer', 'Bearer \xe9', 'Bearer a.b.c', '']) },
    { 'any-bin': random.pick(['====', text, 'AAAA', '\xe9']) },
    { [`x-${text}`]: text },
  ]);
}
