import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { type DescMethod, fromBinary } from '@bufbuild/protobuf';
import type { Service } from '../../cluster/cluster.ts';
import { requestOf } from '../wire/grpc-calls.ts';

/** One type of call that the bystander makes. */
export interface BystanderCall {
  readonly name: string;
  readonly path: string;
  readonly expectedCode: number;
  body(): Buffer;
}

/** The bystander's watch of a service. */
export interface BystanderWatch {
  readonly path: string;
  body(resumeToken: string): Buffer;
  read(message: Buffer): { readonly resumeToken: string; readonly hasEvent: boolean };
  /** Whether the bystander's calls cause events, so that a resumed watch has one to deliver. */
  readonly hasEvents: boolean;
}

/** A SKU with ample stock. */
export const bystanderSku = 'bystander';

export interface BystanderCalls {
  readonly read: BystanderCall;
  readonly list: BystanderCall;
  readonly write: BystanderCall;
}

/** Returns a customer's calls of orders, or a warehouse's calls of inventory. */
export function callsAt(service: Service): BystanderCalls {
  const { getOrder, listOrders, placeOrder } = OrderService.method;
  const { getStock, listStock, releaseStock } = InventoryService.method;
  return service === 'orders'
    ? {
        read: callOf(getOrder, () => requestOf(getOrder, { id: crypto.randomUUID() }), Code.NOT_FOUND),
        list: callOf(listOrders, () => requestOf(listOrders, { pageSize: 5 })),
        write: callOf(placeOrder, () => {
          const lines = [{ sku: bystanderSku, quantity: 1 }];
          return requestOf(placeOrder, { requestId: crypto.randomUUID(), lines });
        }),
      }
    : {
        read: callOf(getStock, () => requestOf(getStock, { sku: bystanderSku })),
        list: callOf(listStock, () => requestOf(listStock, { pageSize: 5 })),
        write: callOf(releaseStock, () => requestOf(releaseStock, { reservationId: crypto.randomUUID() })),
      };
}

export function watchAt(service: Service): BystanderWatch {
  const { watchOrders } = OrderService.method;
  const { watchStock } = InventoryService.method;
  return service === 'orders'
    ? {
        path: methodPath(watchOrders),
        body: (resumeToken) => requestOf(watchOrders, { resumeToken }),
        read: (message) => {
          const { resumeToken, order } = fromBinary(watchOrders.output, message);
          return { resumeToken, hasEvent: order !== undefined };
        },
        hasEvents: true,
      }
    : {
        path: methodPath(watchStock),
        body: (resumeToken) => requestOf(watchStock, { resumeToken }),
        read: (message) => {
          const { resumeToken, stock } = fromBinary(watchStock.output, message);
          return { resumeToken, hasEvent: stock !== undefined };
        },
        hasEvents: false,
      };
}

function callOf(method: DescMethod, body: () => Buffer, expectedCode: Code = Code.OK): BystanderCall {
  return { name: method.name, path: methodPath(method), body, expectedCode };
}
