import type { DescService } from '@bufbuild/protobuf';
import type { ServiceImplementation } from '../call/handler.ts';

/** A service and its handlers, as `serve` pairs them. */
export interface ServedService {
  readonly service: DescService;
  readonly implementation: ServiceImplementation<DescService>;
}

/**
 * Pairs a service with its handlers, for the `services` of a server. The handlers are typed by the service's descriptor:
 *
 *     services: [serve(OrderService, { getOrder: async ({ id }) => ({ order: await find(id) }), ... })]
 *
 * @throws Error that names the service and every method without a handler.
 */
export function serve<Service extends DescService>(
  service: Service,
  implementation: ServiceImplementation<Service>,
): ServedService {
  const missing = service.methods
    .map(({ localName }) => localName)
    .filter((name) => typeof implementation[name as keyof typeof implementation] !== 'function');
  if (missing.length > 0) throw new Error(`${service.typeName}: no handler for ${missing.join(', ')}`);
  return { service, implementation: implementation as ServiceImplementation<DescService> };
}

/** @throws Error that names a service which is listed twice, or which the server adds itself. */
export function requireDistinctServices(
  services: readonly DescService[],
  builtIn: readonly DescService[],
): void {
  const builtInNames = new Set(builtIn.map(({ typeName }) => typeName));
  const names = new Set<string>();
  for (const { typeName } of services) {
    if (builtInNames.has(typeName))
      throw new Error(`the server adds ${typeName} itself: leave it out of its services`);
    if (names.has(typeName)) throw new Error(`${typeName} is listed twice in the services of the server`);
    names.add(typeName);
  }
}
