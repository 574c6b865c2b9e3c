import type { DescMethod } from '@bufbuild/protobuf';

/** Returns the HTTP/2 path of a method: `/orders.v1.OrderService/GetOrder`. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Returns a Buffer over the same memory, for grpc-js. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
