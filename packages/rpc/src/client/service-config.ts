import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { type Balancing, loadBalancingConfigOf } from './balancing/balancing.ts';
import { type Hedging, hedgedMethods, hedgingPolicyOf } from './hedging.ts';
import { requireValidServiceConfig } from './require-valid-service-config.ts';

/** What a client may choose; the rest is the contract's. */
export interface ServiceConfigOptions<Service extends DescService> {
  readonly balancing?: Balancing | undefined;
  readonly hedging?: Hedging<Service> | undefined;
}

/** What a client does when a call meets an unavailable server (gRFC A6). */
const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.1s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  // AIP-194: the only code that says the call was not answered and may be sent again.
  retryableStatusCodes: ['UNAVAILABLE'],
};

/** Retries stop while more than half of these tokens are used up: one a failure, a tenth back a success. */
const retryThrottling = { maxTokens: 100, tokenRatio: 0.1 };

/** Whether the contract says that a method may be sent twice. */
function isRetryable(method: DescMethod): boolean {
  return (
    method.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS ||
    method.idempotency === IdempotencyLevel.IDEMPOTENT
  );
}

/**
 * The gRPC service config of a service, derived from its contract: retries for the methods that are marked as safe
 * to repeat, none for the others; calls spread over all addresses of the target.
 *
 * @throws Error when a method is to be hedged that may not be, or grpc-js would misread the config.
 */
export function serviceConfigOf<Service extends DescService>(
  service: Service,
  { balancing = 'round_robin', hedging }: ServiceConfigOptions<Service> = {},
): string {
  const hedged = hedging ? hedgedMethods(service, hedging) : [];
  const retried = service.methods.filter((method) => isRetryable(method) && !hedged.includes(method));
  const config = JSON.stringify({
    loadBalancingConfig: loadBalancingConfigOf(balancing),
    retryThrottling,
    methodConfig: [
      { name: retried.map(nameOf), retryPolicy },
      ...(hedging ? [{ name: hedged.map(nameOf), hedgingPolicy: hedgingPolicyOf(hedging) }] : []),
    ].filter(({ name }) => name.length > 0),
  });
  requireValidServiceConfig(config);
  return config;
}

function nameOf(method: DescMethod) {
  return { service: method.parent.typeName, method: method.name };
}
