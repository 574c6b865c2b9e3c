import { type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import { type MethodPolicy, method as methodPolicy } from '../gen/policy/v1/policy_pb.ts';
import { methodName } from './method-name.ts';

/** The operations policy of a method, from its contract (policy.v1) or from `policies` in code. */
export interface Policy {
  /** Deadline of a call without one. */
  readonly deadlineMs: number;
  /** Maximum deadline that the server accepts. */
  readonly maxDeadlineMs: number;
  /** Scopes that the caller needs, all of them. Empty for an anonymous method. */
  readonly scopes: readonly string[];
  /** Rate limit of each caller; unlimited when absent. */
  readonly quota?: Quota | undefined;
  /** Maximum size of a request message, if it is below the server's limit. */
  readonly maxRequestBytes?: number | undefined;
}

/** Rate limit of one caller's calls on one replica. */
export interface Quota {
  readonly callsPerSecond: number;
  /** Number of calls permitted at once. */
  readonly burst: number;
  /** Callers with this scope are exempt. Empty for no scope. */
  readonly exemptScope: string;
}

/** The policy of methods whose contract has no option (policy.v1.method), as code states it. */
export interface PolicyInCode {
  /** Deadline of a call without one. `Infinity` is for clients only: no deadline. */
  readonly deadlineMs: number;
  /** Maximum deadline that the server accepts. Default: five times `deadlineMs`. */
  readonly maxDeadlineMs?: number;
  /** Scopes that the caller needs, all of them. Empty if the methods are anonymous: public on purpose. */
  readonly scopes: readonly string[];
  /** Rate limit of each caller. Default: unlimited. A burst is the calls of one second by default. */
  readonly quota?: Pick<Quota, 'callsPerSecond'> & Partial<Quota>;
  /** Maximum size of a request message, at most the server's limit, which is the default. */
  readonly maxRequestBytes?: number;
}

/**
 * Policies of services whose contract states none, for instance a contract of another organisation. A key is
 * `pkg.Service` for all methods of a service, or `pkg.Service/Method` for one method, which takes precedence.
 */
export type Policies = Readonly<Record<string, PolicyInCode>>;

/** An absent max_deadline means this many times the deadline (policy.proto). */
const defaultMaxDeadlineFactor = 5;

/** Returns whether a method is public on purpose: a caller without a token is served. */
export function isAnonymous({ scopes }: Policy): boolean {
  return scopes.length === 0;
}

/**
 * Returns the policy of each method of the services, from its contract or from `policies`.
 *
 * @throws Error for a method with no policy, with an incomplete one or with two of them, and for a key of `policies` that
 * names none of the services and methods.
 */
export function resolvePolicies(
  services: readonly DescService[],
  policies: Policies = {},
): (method: DescMethod) => Policy {
  const methods = services.flatMap((service) => service.methods);
  const names = new Set([...services.map(({ typeName }) => typeName), ...methods.map(methodName)]);
  const unknown = Object.keys(policies).find((key) => !names.has(key));
  if (unknown !== undefined)
    throw new Error(
      `policies['${unknown}'] names no method and no service of ${services.map(({ typeName }) => typeName).join(', ')}`,
    );
  const resolved = new Map(methods.map((method) => [method, policyOf(method, policies)]));
  return (method) => resolved.get(method) ?? policyOf(method, policies);
}

/**
 * Returns the policies of one service, out of those of several: a client rejects the policies of services that it does not
 * call, and a server those of services that it does not serve.
 */
export function policiesOf({ typeName }: DescService, policies: Policies): Policies {
  const entries = Object.entries(policies);
  return Object.fromEntries(entries.filter(([key]) => key === typeName || key.startsWith(`${typeName}/`)));
}

/**
 * Returns a method's policy, from its contract or from `policies`.
 *
 * @throws Error naming the method if its policy is missing or incomplete, or if both state one. It is thrown at the start,
 * so that no method is served without a deadline, or to everyone by mistake.
 */
export function policyOf(method: DescMethod, policies: Policies = {}): Policy {
  const name = methodName(method);
  const key = [name, method.parent.typeName].find((each) => Object.hasOwn(policies, each));
  const inCode = key === undefined ? undefined : policies[key];
  if (!hasOption(method, methodPolicy)) {
    if (inCode) return policyInCode(inCode, `policies['${key}']`);
    throw new Error(
      `${name} has no policy: add the option (policy.v1.method) to the contract, or '${method.parent.typeName}' to \`policies\` in code`,
    );
  }
  if (inCode)
    throw new Error(
      `${name} has a policy in its contract, and another one in policies['${key}']: remove one`,
    );
  return contractPolicy(getOption(method, methodPolicy), `${name}: policy.v1.method`);
}

function contractPolicy(
  { deadline, maxDeadline, scopes, anonymous, quota }: MethodPolicy,
  where: string,
): Policy {
  const deadlineMs = positiveMs(deadline, `${where}.deadline`);
  const maxDeadlineMs = maxDeadline
    ? positiveMs(maxDeadline, `${where}.max_deadline`)
    : deadlineMs * defaultMaxDeadlineFactor;
  if (maxDeadlineMs < deadlineMs) throw new Error(`${where}.max_deadline is shorter than deadline`);
  if (scopes.length === 0 && !anonymous)
    throw new Error(
      `${where}.scopes is empty: list the scopes that the caller needs, or set \`anonymous: true\` for a public method`,
    );
  if (scopes.length > 0 && anonymous)
    throw new Error(`${where} has scopes, and is anonymous: remove one of the two`);
  requireScopeList(scopes, where);
  return {
    deadlineMs,
    maxDeadlineMs,
    scopes,
    quota: quota && withBurst(quota, `${where}.quota.calls_per_second`),
  };
}

/** The keys of a PolicyInCode. */
const keysInCode: ReadonlySet<string> = new Set<keyof PolicyInCode>([
  'deadlineMs',
  'maxDeadlineMs',
  'scopes',
  'quota',
  'maxRequestBytes',
]);

function policyInCode(policy: PolicyInCode, where: string): Policy {
  // A policy may come from a file. A misspelt key would leave a method without its quota, for instance.
  const unknown = Object.keys(policy).find((key) => !keysInCode.has(key));
  if (unknown !== undefined) throw new Error(`${where}.${unknown} is not a part of a policy`);
  const { deadlineMs, maxDeadlineMs = deadlineMs * defaultMaxDeadlineFactor, quota } = policy;
  requireScopeList(policy.scopes, where);
  if (!(deadlineMs > 0)) throw new Error(`${where}.deadlineMs must be over 0`);
  if (!(maxDeadlineMs >= deadlineMs)) throw new Error(`${where}.maxDeadlineMs is shorter than deadlineMs`);
  if (policy.maxRequestBytes !== undefined && !isCount(policy.maxRequestBytes))
    throw new Error(`${where}.maxRequestBytes must be a whole number over 0`);
  return {
    ...policy,
    maxDeadlineMs,
    quota: quota && withBurst({ burst: 0, exemptScope: '', ...quota }, `${where}.quota.callsPerSecond`),
  };
}

/** A text in place of the list would be taken for a list of its characters. */
function requireScopeList(scopes: readonly string[], where: string): void {
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string' && /^\S+$/.test(scope)))
    throw new Error(`${where}.scopes must be a list of scopes: texts without spaces`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** A burst of 0 means the calls of one second. */
function withBurst({ callsPerSecond, burst, exemptScope }: Quota, where: string): Quota {
  if (!(callsPerSecond > 0 && callsPerSecond < Infinity))
    throw new Error(`${where} must be over 0, and finite`);
  // Below 1 no call would ever be served.
  if (burst !== 0 && !isCount(burst))
    throw new Error(`${where}: the burst must be a whole number over 0, or absent`);
  return { callsPerSecond, burst: burst || Math.ceil(callsPerSecond), exemptScope };
}

function positiveMs(duration: Duration | undefined, name: string): number {
  const ms = duration ? durationMs(duration) : 0;
  if (ms <= 0) throw new Error(`${name} must be longer than 0`);
  return ms;
}
