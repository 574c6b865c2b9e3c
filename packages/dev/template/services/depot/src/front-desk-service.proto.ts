// <no-resource>
import type { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
import type { Pool } from '@acme/postgres/pool';
import { Code, RpcError } from '@acme/rpc/errors';
import type { ServiceImplementation } from '@acme/rpc/server';
import type { Supplier } from './supplier.ts';

export interface FrontDeskServiceDependencies {
  readonly pool: Pool;
  // <calls>
  /**
   * Called through its circuit breaker: `supplier.circuitBreaker.execute(() => supplier.client.METHOD({…}, { signal }))`.
   * A handler that also stores makes the call first, idempotent by the request_id: a client repeats the request.
   */
  readonly supplier: Supplier;
  // </calls>
}

/** Returns the handlers. The compiler requires one for each method of the contract. */
export function createFrontDeskService(
  _dependencies: FrontDeskServiceDependencies,
): ServiceImplementation<typeof FrontDeskService> {
  return {
    // <each>
    otherRpc: () => notImplemented('OtherRpc'),
    // </each>
  };
}

function notImplemented(method: string): never {
  throw new RpcError(
    Code.UNIMPLEMENTED,
    `${method} is not implemented: write its handler in front-desk-service.ts`,
  );
}
// </no-resource>
