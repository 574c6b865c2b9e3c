import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import { type Quota as MethodQuota, method as methodPolicy } from '../gen/policy/v1/policy_pb.ts';
import { methodName } from './method-name.ts';

/** The operations policy of a method from its contract (policy.v1), in the units of the code. */
export interface Policy {
  /** Deadline of a call without one. */
  readonly deadlineMs: number;
  /** Maximum deadline that the server accepts. */
  readonly maxDeadlineMs: number;
  /** Scopes that the caller needs, all of them. */
  readonly scopes: readonly string[];
  /** Rate limit of each caller; unlimited when absent. */
  readonly quota?: Quota | undefined;
  /** Maximum size of a request message, if it is below the server's limit. */
  readonly maxRequestBytes?: number;
}

/** Rate limit of one subject's calls on one replica. */
export interface Quota {
  readonly callsPerSecond: number;
  /** Number of calls permitted at once. */
  readonly burst: number;
  /** Callers with this scope are exempt. Empty for no scope. */
  readonly exemptScope: string;
}

/** An absent max_deadline means this many times the deadline (policy.proto). */
const defaultMaxDeadlineFactor = 5;

/**
 * Reads a method's policy from its descriptor.
 *
 * @throws Error naming the method if its policy is missing or incomplete. It is thrown at the start, so that no method is
 * served without a deadline or a required scope.
 */
export function policyOf(method: DescMethod): Policy {
  const name = methodName(method);
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

/** A burst of 0 means the calls of one second. */
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
