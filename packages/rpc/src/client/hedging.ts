import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { methodName } from '../call/method-name.ts';

/**
 * Sends a call to several replicas and takes the first answer (gRFC A6): for reads whose slowest answers cost more than
 * the load of additional calls.
 */
export interface Hedging<Service extends DescService = DescService> {
  /** Methods that the contract marks as NO_SIDE_EFFECTS. */
  readonly methods: readonly (keyof Service['method'] & string)[];
  /** Maximum number of times that a call is sent, the first included: 2 to 5. */
  readonly attempts: number;
  /** Time to wait for an answer before the call is sent again, at least 1. Start with the method's 95th percentile. */
  readonly delayMs: number;
}

/** gRFC A6 cuts a larger number to this. */
const maxAttempts = 5;

/**
 * Returns the descriptors of the hedged methods.
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
        `${methodName(method)} cannot be hedged: the contract does not mark it as NO_SIDE_EFFECTS`,
      );
    return method;
  });
}

/**
 * Returns the hedging policy of a service config. A replica that is UNAVAILABLE leaves the call to the other attempts.
 *
 * @throws Error for values that grpc-js would change in silence: it cuts the attempts, and without a delay it sends all
 * of them at once.
 */
export function hedgingPolicyOf({ attempts, delayMs }: Pick<Hedging, 'attempts' | 'delayMs'>) {
  if (!Number.isInteger(attempts) || attempts < 2 || attempts > maxAttempts)
    throw new Error(`hedging.attempts must be a whole number from 2 to ${maxAttempts}`);
  if (!(delayMs >= 1)) throw new Error('hedging.delayMs must be at least 1');
  return {
    maxAttempts: attempts,
    hedgingDelay: `${(delayMs / 1000).toFixed(3)}s`,
    nonFatalStatusCodes: ['UNAVAILABLE'],
  };
}
