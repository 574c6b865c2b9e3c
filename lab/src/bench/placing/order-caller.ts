import { connect } from 'node:http2';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService, PlaceOrderResponseSchema } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';

const { placeOrder } = OrderService.method;

export type OrderRequest = MessageInitShape<typeof placeOrder.input>;

export interface OrderAnswer {
  readonly isConfirmed: boolean;
  /** `grpc-retry-pushback-ms` of a call that was rejected by overload. */
  readonly pushbackMs: number;
}

/** The prefix of a gRPC message: a flag and the length. */
const framePrefixBytes = 5;

/**
 * Places orders over one connection, with node:http2 only: the callers share the cores with the services, and the callers
 * of pgbench are written in C.
 */
export function connectCaller(target: string, token: string) {
  const session = connect(`http://${target}`);
  const headers = {
    ':method': 'POST',
    ':path': methodPath(placeOrder),
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '2S',
    authorization: `Bearer ${token}`,
  };
  const place = (request: OrderRequest): Promise<OrderAnswer> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let body: Buffer | undefined;
      let status: unknown;
      let pushbackMs = 0;
      const readStatus = (received: Record<string, unknown>) => {
        status ??= received['grpc-status'];
        pushbackMs = Number(received['grpc-retry-pushback-ms'] ?? pushbackMs);
      };
      stream.on('response', readStatus);
      stream.on('trailers', readStatus);
      stream.on('data', (chunk: Buffer) => {
        body = body ? Buffer.concat([body, chunk]) : chunk;
      });
      stream.on('error', reject);
      stream.on('close', () => {
        const order =
          status === '0' && body
            ? fromBinary(PlaceOrderResponseSchema, body.subarray(framePrefixBytes)).order
            : undefined;
        resolve({ isConfirmed: order?.state === Order_State.CONFIRMED, pushbackMs });
      });
      stream.end(grpcFrame(toBinary(placeOrder.input, create(placeOrder.input, request))));
    });
  return { place, [Symbol.dispose]: () => session.close() };
}
