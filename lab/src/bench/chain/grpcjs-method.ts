import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { create, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';

const { getStock } = InventoryService.method;
type Request = MessageShape<typeof getStock.input>;
type Response = MessageInitShape<typeof getStock.output>;

/** The definition of GetStock for grpc-js and nice-grpc, encoded by protobuf-es. */
export const getStockMethod: MethodDefinition<Request, Response> = {
  path: methodPath(getStock),
  requestStream: false,
  responseStream: false,
  requestSerialize: (request) => Buffer.from(toBinary(getStock.input, request)),
  requestDeserialize: (bytes) => fromBinary(getStock.input, bytes),
  responseSerialize: (response) => Buffer.from(toBinary(getStock.output, create(getStock.output, response))),
  responseDeserialize: (bytes) => fromBinary(getStock.output, bytes),
};

/** The same definition for the types of nice-grpc. */
export const niceDefinition = {
  getStock: { ...getStockMethod, requestStream: false, responseStream: false, options: {} },
} as const;
