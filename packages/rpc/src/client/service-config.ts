import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { type Balancing, loadBalancingConfigOf } from './balancing/balancing.ts';
import { type Hedging, hedgedMethods, hedgingPolicyOf } from './hedging.ts';

/** The parts of a service config that a client chooses. The contract determines the others. */
export interface ServiceConfigOptions<Service extends DescService> {
  readonly balancing?: Balancing | undefined;
  readonly hedging?: Hedging<Service> | undefined;
}

/** Retries of a call (gRFC A6). */
const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.1s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  // The only code that AIP-194 retries. DEADLINE_EXCEEDED leaves no time, and any other code would be returned again.
  retryableStatusCodes: ['UNAVAILABLE'],
};

/** A failure takes one token and a success returns a tenth. Retries pause while at most half of the tokens are left. */
const retryThrottling = { maxTokens: 100, tokenRatio: 0.1 };

/** Returns whether the contract permits sending a call of the method twice. */
function isRetryable(method: DescMethod): boolean {
  return (
    method.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS ||
    method.idempotency === IdempotencyLevel.IDEMPOTENT
  );
}

/**
 * Derives the gRPC service config of a service from its contract: retries for the methods whose `idempotency_level`
 * permits them, and the balancing of calls over all addresses of the target.
 *
 * @throws Error for a method that must not be hedged, and for values of `hedging` out of range.
 */
export function serviceConfigOf<Service extends DescService>(
  service: Service,
  { balancing = 'round_robin', hedging }: ServiceConfigOptions<Service> = {},
): string {
  const hedged = hedging ? hedgedMethods(service, hedging) : [];
  const retried = service.methods.filter((method) => isRetryable(method) && !hedged.includes(method));
  return JSON.stringify({
    loadBalancingConfig: loadBalancingConfigOf(balancing),
    retryThrottling,
    methodConfig: [
      { name: retried.map(nameOf), retryPolicy },
      ...(hedging ? [{ name: hedged.map(nameOf), hedgingPolicy: hedgingPolicyOf(hedging) }] : []),
    ].filter(({ name }) => name.length > 0),
  });
}

function nameOf(method: DescMethod) {
  return { service: method.parent.typeName, method: method.name };
}
