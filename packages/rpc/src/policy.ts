import { method as methodPolicy } from '@acme/gen/policy/v1/policy_pb';
import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';

/** What the contract says of a method, in the units the code wants. */
export interface Policy {
  /** Deadline of a call whose caller set none. */
  readonly deadlineMs: number;
  /** The longest deadline that the server grants. */
  readonly maxDeadlineMs: number;
  /** Scopes the caller needs, all of them. */
  readonly scopes: readonly string[];
}

/** An absent max_deadline stands for this many deadlines (policy.proto). */
const defaultMaxDeadlineFactor = 5;

/**
 * Reads a method's policy from its descriptor.
 *
 * @throws Error naming the method when the contract says nothing or too little: thrown at start, so that no method
 * is ever served without a deadline or open to everybody.
 */
export function policyOf(method: DescMethod): Policy {
  const name = `${method.parent.typeName}.${method.name}`;
  if (!hasOption(method, methodPolicy)) throw new Error(`${name} has no option (policy.v1.method)`);
  const { deadline, scopes, maxDeadline } = getOption(method, methodPolicy);
  const deadlineMs = positiveMs(deadline, `${name}: policy.v1.method.deadline`);
  const maxDeadlineMs = maxDeadline
    ? positiveMs(maxDeadline, `${name}: policy.v1.method.max_deadline`)
    : deadlineMs * defaultMaxDeadlineFactor;
  if (maxDeadlineMs < deadlineMs) throw new Error(`${name}: max_deadline is shorter than deadline`);
  if (scopes.length === 0) throw new Error(`${name}: policy.v1.method.scopes is empty`);
  return { deadlineMs, maxDeadlineMs, scopes };
}

function positiveMs(duration: Duration | undefined, name: string): number {
  const ms = duration ? durationMs(duration) : 0;
  if (ms <= 0) throw new Error(`${name} must be longer than 0`);
  return ms;
}
