import type { DescMethod } from '@bufbuild/protobuf';

/** Returns the full name of a method, as OpenTelemetry's rpc.method has it: `orders.v1.OrderService/GetOrder`. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Returns the HTTP/2 path of a method: `/orders.v1.OrderService/GetOrder`. */
export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}
