import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Interceptor, ServiceImplementation } from '../call/handler.ts';
import { methodPath } from '../call/method-name.ts';
import { type Policy, policyOf } from '../call/policy.ts';
import type { ServerCallOptions } from '../incoming/incoming-call.ts';
import { type MethodChain, methodChains } from '../incoming/method-chains.ts';
import { asBuffer } from './as-buffer.ts';
import { createMethodHandler } from './server-methods.ts';
import { recordIncomingStreams } from './sessions/incoming-streams.ts';

export interface AddServiceOptions extends ServerCallOptions {
  /** Returns a method's policy, for a contract without policies. Default: the policy in the contract. */
  readonly policies?: (method: DescMethod) => Policy;
}

/**
 * Adds a protobuf-es service to a grpc-js server that has the interceptor `startOnHeaders`, with every method behind the chain.
 *
 * @throws Error that names a method without a policy.
 */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImplementation<Service>,
  interceptors: readonly Interceptor[],
  { policies = policyOf, ...options }: AddServiceOptions,
): void {
  addMethods(server, service, methodChains(service, implementation, interceptors, policies), options);
}

/** Adds a service to a grpc-js server that has the interceptor `startOnHeaders`, with chains that other ports may serve too. */
export function addMethods(
  server: Server,
  service: DescService,
  chains: readonly MethodChain[],
  options: ServerCallOptions,
): void {
  recordIncomingStreams();
  const methods: UntypedServiceImplementation = {};
  for (const { method, chain } of chains)
    methods[method.desc.localName] = createMethodHandler({ ...method, protocol: 'grpc' }, chain, options);
  server.addService(serviceDefinition(service), methods);
}

/** Returns the service definition for grpc-js. Messages stay bytes, because they are decoded and encoded in the chain. */
function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}

function methodDefinition(method: DescMethod): ServiceDefinition[string] {
  return {
    path: methodPath(method),
    // GrpcCall starts the handlers of all four kinds.
    requestStream: false,
    responseStream: false,
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
