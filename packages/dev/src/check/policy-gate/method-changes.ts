import { type Policy, policyOf } from '@acme/rpc/contract';
import { MethodPolicySchema, method as methodPolicy, QuotaSchema } from '@acme/rpc/gen/policy/v1/policy_pb';
import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import type { TightenedRule } from './tightened.ts';

const policy = methodPolicy.number;
const { deadline, scopes, maxDeadline, quota, errors } = MethodPolicySchema.field;
const { callsPerSecond, burst, exemptScope } = QuotaSchema.field;

/** Number of the option `idempotency_level` (descriptor.proto). */
const idempotencyLevel = 34;

/** The levels from the weakest promise to the strongest. */
const levels = [Level.IDEMPOTENCY_UNKNOWN, Level.IDEMPOTENT, Level.NO_SIDE_EFFECTS];

/** Returns what a method no longer accepts or promises, by its policy and its idempotency level. */
export function tightenedMethod(before: DescMethod, after: DescMethod): TightenedRule[] {
  return [...tightenedRepeating(before, after), ...tightenedPolicy(before, after)];
}

function tightenedRepeating(before: DescMethod, after: DescMethod): TightenedRule[] {
  if (levels.indexOf(after.idempotency) >= levels.indexOf(before.idempotency)) return [];
  const [was, is] = [Level[before.idempotency], Level[after.idempotency]];
  return [{ rule: 'idempotency_level', was, is, path: [idempotencyLevel] }];
}

/**
 * Policies in code are not compared. Neither is an incomplete policy, which `a policy on every method` reports.
 */
function tightenedPolicy(before: DescMethod, after: DescMethod): TightenedRule[] {
  if (!hasOption(before, methodPolicy)) return [];
  if (!hasOption(after, methodPolicy)) return [{ rule: 'policy', was: 'stated', is: 'none', path: [] }];
  const [was, is] = [completePolicy(before), completePolicy(after)];
  if (!was || !is) return [];
  const changes: TightenedRule[] = [];
  const add = (rule: string, was: string, is: string, ...path: readonly number[]) =>
    changes.push({ rule, was, is, path: [policy, ...path] });

  if (is.deadlineMs < was.deadlineMs) add('deadline', ms(was.deadlineMs), ms(is.deadlineMs), deadline.number);
  const isStated = [before, after].some((each) => getOption(each, methodPolicy).maxDeadline);
  // A default follows the deadline, which is reported.
  if (isStated && is.maxDeadlineMs < was.maxDeadlineMs)
    add('max_deadline', ms(was.maxDeadlineMs), ms(is.maxDeadlineMs), maxDeadline.number);
  if (is.scopes.some((scope) => !was.scopes.includes(scope)))
    add('scopes', scopeList(was.scopes), scopeList(is.scopes), scopes.number);
  changes.push(...removedReasons(before, after));
  if (!is.quota) return changes;
  if (!was.quota) {
    add('quota', 'none', `${is.quota.callsPerSecond}/s, burst ${is.quota.burst}`, quota.number);
    return changes;
  }
  if (is.quota.callsPerSecond < was.quota.callsPerSecond)
    add(
      'quota.calls_per_second',
      `${was.quota.callsPerSecond}`,
      `${is.quota.callsPerSecond}`,
      quota.number,
      callsPerSecond.number,
    );
  if (is.quota.burst < was.quota.burst)
    add('quota.burst', `${was.quota.burst}`, `${is.quota.burst}`, quota.number, burst.number);
  if (was.quota.exemptScope !== '' && is.quota.exemptScope !== was.quota.exemptScope)
    add(
      'quota.exempt_scope',
      was.quota.exemptScope,
      is.quota.exemptScope || 'none',
      quota.number,
      exemptScope.number,
    );
  return changes;
}

function completePolicy(method: DescMethod): Policy | undefined {
  try {
    return policyOf(method);
  } catch {
    return undefined;
  }
}

/** Returns the error reasons that a method no longer has, or has with another status code or fewer details. */
function removedReasons(before: DescMethod, after: DescMethod): TightenedRule[] {
  const listed = getOption(after, methodPolicy).errors;
  return getOption(before, methodPolicy).errors.flatMap(({ reason, code, details }) => {
    const index = listed.findIndex((each) => each.reason === reason);
    const is = listed[index];
    if (is?.code === code && details.every((detail) => is.details.includes(detail))) return [];
    const text = (each: string, of: readonly string[]) => [each, ...of].join(' ');
    const path = [policy, errors.number, ...(is ? [index] : [])];
    return [
      {
        rule: `errors ${reason}`,
        was: text(code, details),
        is: is ? text(is.code, is.details) : 'none',
        path,
      },
    ];
  });
}

function scopeList(scopes: readonly string[]): string {
  return scopes.length === 0 ? 'anonymous' : `[${scopes.join(', ')}]`;
}

function ms(value: number): string {
  return value < 1000 ? `${value} ms` : `${value / 1000} s`;
}
