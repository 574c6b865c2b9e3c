import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';

/**
 * Asks several replicas in place of one, and takes the first answer (gRFC A6): for reads whose slowest answers hurt
 * more than the load of asking twice.
 */
export interface Hedging<Service extends DescService = DescService> {
  /** Methods without side effects: nothing else bears being served several times at once. */
  readonly methods: readonly (keyof Service['method'] & string)[];
  /** How often a call is sent at the most, the first time included: 2 to 5. */
  readonly attempts: number;
  /** How long an answer is waited for before the call is sent again. The 95th percentile of its latency is a start. */
  readonly delayMs: number;
}

/**
 * The methods that are to be hedged.
 *
 * @throws Error naming a method that the contract does not mark as NO_SIDE_EFFECTS, or does not have.
 */
export function hedgedMethods<Service extends DescService>(
  service: Service,
  { methods }: Hedging<Service>,
): DescMethod[] {
  return methods.map((localName) => {
    const method = service.methods.find((each) => each.localName === localName);
    if (!method) throw new Error(`${service.typeName} has no method ${localName} to hedge`);
    if (method.idempotency !== IdempotencyLevel.NO_SIDE_EFFECTS)
      throw new Error(
        `${service.typeName}/${method.name} cannot be hedged: the contract does not mark it as NO_SIDE_EFFECTS`,
      );
    return method;
  });
}

/** What goes into the service config. An UNAVAILABLE attempt does not end the call while others are under way. */
export function hedgingPolicyOf({ attempts, delayMs }: Pick<Hedging, 'attempts' | 'delayMs'>) {
  return {
    maxAttempts: attempts,
    hedgingDelay: `${(delayMs / 1000).toFixed(3)}s`,
    nonFatalStatusCodes: ['UNAVAILABLE'],
  };
}
