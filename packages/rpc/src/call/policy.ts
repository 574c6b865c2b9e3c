import { type Quota as MethodQuota, method as methodPolicy } from '@acme/gen/policy/v1/policy_pb';
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
  /** What one caller may call; unlimited when absent. */
  readonly quota?: Quota | undefined;
  /** Limit of a request message, where it is less than that of the server. */
  readonly maxRequestBytes?: number;
}

/** Calls of one subject on one replica. */
export interface Quota {
  readonly callsPerSecond: number;
  /** Number of calls that may come at once. */
  readonly burst: number;
  /** Callers with this scope are not held to it; empty: none. */
  readonly exemptScope: string;
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
  const { deadline, scopes, maxDeadline, quota } = getOption(method, methodPolicy);
  const deadlineMs = positiveMs(deadline, `${name}: policy.v1.method.deadline`);
  const maxDeadlineMs = maxDeadline
    ? positiveMs(maxDeadline, `${name}: policy.v1.method.max_deadline`)
    : deadlineMs * defaultMaxDeadlineFactor;
  if (maxDeadlineMs < deadlineMs) throw new Error(`${name}: max_deadline is shorter than deadline`);
  if (scopes.length === 0) throw new Error(`${name}: policy.v1.method.scopes is empty`);
  return { deadlineMs, maxDeadlineMs, scopes, quota: quotaOf(quota, name) };
}

/** A burst of 0 stands for the calls of a second. */
function quotaOf(quota: MethodQuota | undefined, name: string): Quota | undefined {
  if (!quota) return undefined;
  const { callsPerSecond, burst, exemptScope } = quota;
  if (callsPerSecond <= 0) throw new Error(`${name}: policy.v1.method.quota.calls_per_second must be over 0`);
  return { callsPerSecond, burst: burst || Math.ceil(callsPerSecond), exemptScope };
}

function positiveMs(duration: Duration | undefined, name: string): number {
  const ms = duration ? durationMs(duration) : 0;
  if (ms <= 0) throw new Error(`${name} must be longer than 0`);
  return ms;
}
