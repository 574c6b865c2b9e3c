import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { MethodInfo } from '../call/call-context.ts';
import type { Handler, Interceptor, ServiceImplementation } from '../call/handler.ts';
import { type Policy, policyOf } from '../call/policy.ts';
import type { CallOptions } from './server-call.ts';
import { answersOnce, dispatchTo, grpcMethod } from './server-methods.ts';
import { noteArrivals } from './sessions/arrivals.ts';

/** Wraps a handler in a chain; the first interceptor is the outermost. */
function chainOf(interceptors: readonly Interceptor[], handler: Handler): Handler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handler);
}

export interface ServiceOptions extends CallOptions {
  /** Returns a method's policy, for a contract that does not state it; read from the contract when absent. */
  readonly policies?: (method: DescMethod) => Policy;
}

/**
 * Serves a protobuf-es service on a grpc-js server, every method behind the chain.
 *
 * @throws Error naming the method that has no policy in the contract.
 */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImplementation<Service>,
  interceptors: readonly Interceptor[],
  { policies = policyOf, ...options }: ServiceOptions,
): void {
  noteArrivals();
  const methods: UntypedServiceImplementation = {};
  for (const desc of service.methods) {
    const handle = implementation[desc.localName as keyof typeof implementation];
    const method: MethodInfo = { desc, name: `${service.typeName}/${desc.name}`, policy: policies(desc) };
    const handler = dispatchTo(desc, handle.bind(implementation));
    methods[desc.localName] = grpcMethod(method, chainOf(interceptors, handler), options);
  }
  server.addService(serviceDefinition(service), methods);
}

/** The service as grpc-js registers it. Messages stay bytes: the bridge decodes and encodes them inside the chain. */
function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}

function methodDefinition(method: DescMethod): ServiceDefinition[string] {
  return {
    path: methodPath(method),
    // Whatever the kind: grpc-js calls the handler of a stream of requests when the headers have come, and that of one
    // request when it has read and inflated it.
    requestStream: true,
    responseStream: !answersOnce(method),
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  };
}

/** `/orders.v1.OrderService/GetOrder`, the HTTP/2 path. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** The same memory as a Buffer, which grpc-js wants; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
