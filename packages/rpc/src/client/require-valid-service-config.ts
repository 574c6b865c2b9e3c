import { experimental } from '@grpc/grpc-js';
import { Code } from '../errors/rpc-error.ts';

/** What grpc-js reads of each part; anything else in it is ignored without a word. */
const keysRead = {
  config: ['loadBalancingConfig', 'methodConfig', 'retryThrottling'],
  method: ['name', 'timeout', 'retryPolicy', 'hedgingPolicy'],
  retryPolicy: ['maxAttempts', 'initialBackoff', 'maxBackoff', 'backoffMultiplier', 'retryableStatusCodes'],
  hedgingPolicy: ['maxAttempts', 'hedgingDelay', 'nonFatalStatusCodes'],
};

/** The same for the policies of grpc-js that do have keys. */
const policyKeysRead: Readonly<Record<string, readonly string[]>> = {
  outlier_detection: [
    'interval',
    'base_ejection_time',
    'max_ejection_time',
    'max_ejection_percent',
    'success_rate_ejection',
    'failure_percentage_ejection',
    'child_policy',
  ],
  weighted_round_robin: [
    'enable_oob_load_report',
    'oob_load_reporting_period',
    'blackout_period',
    'weight_expiration_period',
    'weight_update_period',
    'error_utilization_penalty',
  ],
};

/** More attempts than these are cut to them (gRFC A6). */
const maxAttempts = 5;

const backoffPattern = /^\d+(\.\d{1,9})?s$/;

type Json = Readonly<Record<string, unknown>>;

/**
 * Throws for a gRPC service config that grpc-js would take for something else, in silence: for options that it does
 * not read or reads wrongly, and policies that it does not know, where it falls back to pick_first.
 *
 * @param config The JSON text that goes into the channel's options.
 * @throws Error naming everything that is wrong with it.
 */
export function requireValidServiceConfig(config: string): void {
  const problems = [...problemsOf(JSON.parse(config))];
  if (problems.length > 0)
    throw new Error(`grpc-js would misread the service config: ${problems.join('; ')}`);
}

function* problemsOf(config: Json): Generator<string> {
  yield* unread(config, keysRead.config, 'the config');
  yield* balancingProblems(config.loadBalancingConfig, 'loadBalancingConfig');
  const { methodConfig = [], retryThrottling } = config;
  if (!Array.isArray(methodConfig)) yield 'methodConfig is no array, and ignored';
  else for (const [index, method] of methodConfig.entries()) yield* methodProblems(method, index);
  if (retryThrottling !== undefined) yield* throttlingProblems(retryThrottling as Json);
}

function* balancingProblems(policies: unknown, where: string): Generator<string> {
  if (!Array.isArray(policies) || policies.length === 0) {
    yield `${where} names no policy: that is pick_first`;
    return;
  }
  for (const policy of policies as Json[]) {
    const [name = '', ...others] = Object.keys(policy);
    if (others.length > 0) yield `${where}: ${[name, ...others]} must be one policy an entry`;
    else if (!experimental.isLoadBalancerNameRegistered(name)) yield `${where}: there is no policy ${name}`;
    else yield* policyProblems(name, (policy[name] ?? {}) as Json, where);
  }
}

function* policyProblems(name: string, settings: Json, where: string): Generator<string> {
  const read = policyKeysRead[name];
  if (read) yield* unread(settings, read, `${where}: ${name}`);
  for (const key of ['childPolicy', 'child_policy'])
    if (key in settings) yield* balancingProblems(settings[key], `${where}: ${name}.${key}`);
  try {
    experimental.parseLoadBalancingConfig({ [name]: settings });
  } catch (error) {
    yield `${where}: ${error instanceof Error ? error.message : error}`;
  }
}

function* methodProblems(method: Json, index: number): Generator<string> {
  const where = `methodConfig[${index}]`;
  if ('waitForReady' in method) yield `${where}.waitForReady is ignored: it is an option of Metadata`;
  const { waitForReady: _told, ...others } = method;
  yield* unread(others, keysRead.method, where);
  if (!Array.isArray(method.name) || method.name.length === 0) yield `${where}.name names no method`;
  if (method.timeout !== undefined) {
    const { seconds, nanos } = method.timeout as Json;
    if (typeof seconds !== 'number' || typeof nanos !== 'number')
      yield `${where}.timeout must be {seconds, nanos}: of "0.5s" grpc-js makes 5 ns`;
  }
  const { retryPolicy, hedgingPolicy } = method as { retryPolicy?: Json; hedgingPolicy?: Json };
  if (retryPolicy && hedgingPolicy) yield `${where} has both a retryPolicy and a hedgingPolicy`;
  if (retryPolicy) yield* retryProblems(retryPolicy, `${where}.retryPolicy`);
  if (hedgingPolicy) yield* hedgingProblems(hedgingPolicy, `${where}.hedgingPolicy`);
}

function* retryProblems(policy: Json, where: string): Generator<string> {
  yield* unread(policy, keysRead.retryPolicy, where);
  yield* attemptProblems(policy.maxAttempts, where);
  for (const key of ['initialBackoff', 'maxBackoff'] as const)
    if (!isBackoff(policy[key])) yield `${where}.${key} must be like "0.1s", and longer than 0`;
  if (!(Number(policy.backoffMultiplier) > 0)) yield `${where}.backoffMultiplier must be over 0`;
  yield* codeProblems(policy.retryableStatusCodes, `${where}.retryableStatusCodes`);
}

function* hedgingProblems(policy: Json, where: string): Generator<string> {
  yield* unread(policy, keysRead.hedgingPolicy, where);
  yield* attemptProblems(policy.maxAttempts, where);
  // Without a delay, or with one of 0, all attempts are sent at once, every time.
  if (!isBackoff(policy.hedgingDelay)) yield `${where}.hedgingDelay must be like "0.1s", and longer than 0`;
  if ('nonFatalStatusCodes' in policy)
    yield* codeProblems(policy.nonFatalStatusCodes, `${where}.nonFatalStatusCodes`);
}

function* attemptProblems(attempts: unknown, where: string): Generator<string> {
  if (!Number.isInteger(attempts) || Number(attempts) < 2 || Number(attempts) > maxAttempts)
    yield `${where}.maxAttempts must be a whole number from 2 to ${maxAttempts}`;
}

function* codeProblems(codes: unknown, where: string): Generator<string> {
  if (!Array.isArray(codes) || codes.length === 0) yield `${where} must be an array of codes`;
  else
    for (const code of codes)
      if (typeof code !== 'string' || !(code in Code) || !Number.isNaN(Number(code)) || code === 'OK')
        yield `${where}: ${JSON.stringify(code)} is no name of an error's code`;
}

function* throttlingProblems({ maxTokens, tokenRatio }: Json): Generator<string> {
  if (!(Number(maxTokens) > 0 && Number(maxTokens) <= 1000))
    yield 'retryThrottling.maxTokens must be 1 to 1000';
  // It keeps three decimals: of less it makes 0, and retries that have stopped never start again.
  if (!(Number(tokenRatio) >= 0.001)) yield 'retryThrottling.tokenRatio must be at least 0.001';
}

function* unread(part: Json, read: readonly string[], where: string): Generator<string> {
  for (const key of Object.keys(part)) if (!read.includes(key)) yield `${where}: ${key} is ignored`;
}

function isBackoff(text: unknown): boolean {
  return typeof text === 'string' && backoffPattern.test(text) && Number.parseFloat(text) > 0;
}
