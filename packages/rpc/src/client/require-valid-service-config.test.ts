import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { credentials, experimental, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { startRawServer } from '../testing/replicas/start-raw-server.ts';
import { channelOptions } from './channel-options.ts';
import { requireValidServiceConfig } from './require-valid-service-config.ts';
import { serviceConfigOf } from './service-config.ts';

const policies = [{ round_robin: {} }];
const name = [{ service: 'inventory.v1.InventoryService' }];
const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.001s',
  maxBackoff: '0.001s',
  backoffMultiplier: 1,
  retryableStatusCodes: ['UNAVAILABLE'],
};
const hedgingPolicy = { maxAttempts: 2, hedgingDelay: '0.1s', nonFatalStatusCodes: ['UNAVAILABLE'] };
const outliers = { child_policy: policies };

const withMethod = (method: object) => ({
  loadBalancingConfig: policies,
  methodConfig: [{ name, ...method }],
});
const withRetry = (change: object) => withMethod({ retryPolicy: { ...retryPolicy, ...change } });
const withHedging = (change: object) => withMethod({ hedgingPolicy: { ...hedgingPolicy, ...change } });
const withPolicy = (policy: object) => ({ loadBalancingConfig: [policy] });
const withThrottling = (retryThrottling: object) => ({ loadBalancingConfig: policies, retryThrottling });

test.each<[string, object, string]>([
  [
    'a timeout that is text',
    withMethod({ timeout: '0.5s' }),
    'methodConfig[0].timeout must be {seconds, nanos}',
  ],
  ['waitForReady', withMethod({ waitForReady: true }), 'methodConfig[0].waitForReady is ignored'],
  ['a limit of bytes', withMethod({ maxRequestBytes: 1 }), 'methodConfig[0]: maxRequestBytes is ignored'],
  ['a typo in a method', withMethod({ retryPolicies: [] }), 'methodConfig[0]: retryPolicies is ignored'],
  ['a typo in a retry policy', withRetry({ maxRetries: 3 }), 'retryPolicy: maxRetries is ignored'],
  ['a method without a name', withMethod({ name: [] }), 'methodConfig[0].name names no method'],
  [
    'methods that are no array',
    { loadBalancingConfig: policies, methodConfig: {} },
    'methodConfig is no array',
  ],
  ['both ways', withMethod({ retryPolicy, hedgingPolicy }), 'both a retryPolicy and a hedgingPolicy'],
  ['six attempts', withRetry({ maxAttempts: 6 }), 'maxAttempts must be a whole number from 2 to 5'],
  ['one attempt', withRetry({ maxAttempts: 1 }), 'maxAttempts must be a whole number from 2 to 5'],
  ['six hedges', withHedging({ maxAttempts: 6 }), 'maxAttempts must be a whole number from 2 to 5'],
  ['a backoff in ms', withRetry({ initialBackoff: '100ms' }), 'initialBackoff must be like "0.1s"'],
  ['a backoff that is a number', withRetry({ maxBackoff: 1 }), 'maxBackoff must be like "0.1s"'],
  [
    'no backoff',
    withRetry({ initialBackoff: '0s' }),
    'initialBackoff must be like "0.1s", and longer than 0',
  ],
  ['a multiplier of 0', withRetry({ backoffMultiplier: 0 }), 'backoffMultiplier must be over 0'],
  ['no hedging delay', withHedging({ hedgingDelay: undefined }), 'hedgingDelay must be like "0.1s"'],
  [
    'a code that there is not',
    withRetry({ retryableStatusCodes: ['GONE'] }),
    '"GONE" is no name of an error',
  ],
  ['OK', withRetry({ retryableStatusCodes: ['OK'] }), '"OK" is no name of an error'],
  ['a code by its number', withRetry({ retryableStatusCodes: ['14'] }), '"14" is no name of an error'],
  ['no codes', withRetry({ retryableStatusCodes: [] }), 'retryableStatusCodes must be an array of codes'],
  ['a code alone', withHedging({ nonFatalStatusCodes: 'ABORTED' }), 'nonFatalStatusCodes must be an array'],
  ['no policy', { methodConfig: [] }, 'loadBalancingConfig names no policy: that is pick_first'],
  ['a policy that there is not', withPolicy({ least_request: {} }), 'there is no policy least_request'],
  [
    'the old key',
    { loadBalancingPolicy: 'x', ...withPolicy({ round_robin: {} }) },
    'loadBalancingPolicy is ignored',
  ],
  ['two policies in one', withPolicy({ round_robin: {}, pick_first: {} }), 'must be one policy an entry'],
  [
    'one below',
    withPolicy({ outlier_detection: { child_policy: [{ nobody: {} }] } }),
    'there is no policy nobody',
  ],
  ['baseEjectionTime', withPolicy({ outlier_detection: { ...outliers, baseEjectionTime: 1 } }), 'is ignored'],
  ['childPolicy', withPolicy({ outlier_detection: { childPolicy: policies } }), 'childPolicy is ignored'],
  [
    'blackoutPeriod',
    withPolicy({ weighted_round_robin: { blackoutPeriod: '1s' } }),
    'blackoutPeriod is ignored',
  ],
  [
    'an interval that is text',
    withPolicy({ outlier_detection: { ...outliers, interval: '1s' } }),
    'expected Duration',
  ],
  ['too many tokens', withThrottling({ maxTokens: 1001, tokenRatio: 0.1 }), 'maxTokens must be 1 to 1000'],
  [
    'a ratio that comes to 0',
    withThrottling({ maxTokens: 10, tokenRatio: 0.0004 }),
    'tokenRatio must be at least',
  ],
])('ensure a config with %s is refused', (_name, config, problem) => {
  expect(() => requireValidServiceConfig(JSON.stringify(config))).toThrow(problem);
});

test('ensure all that is wrong is told at once', () => {
  const config = { methodConfig: [{ name, timeout: '1s', waitForReady: true }] };
  expect(() => requireValidServiceConfig(JSON.stringify(config))).toThrow(
    /pick_first; .*waitForReady.*; .*timeout/,
  );
});

test.each<[string, object]>([
  ['a timeout', withMethod({ timeout: { seconds: 0, nanos: 500_000_000 } })],
  ['retries', withRetry({})],
  ['hedging', withHedging({})],
  ['throttling', withThrottling({ maxTokens: 100, tokenRatio: 0.1 })],
  [
    "grpc-js's outlier detection",
    withPolicy({ outlier_detection: { ...outliers, interval: { seconds: 1, nanos: 0 } } }),
  ],
  ['weights', withPolicy({ weighted_round_robin: { blackout_period: { seconds: 1, nanos: 0 } } })],
])('ensure a config with %s as grpc-js reads it is good', (_name, config) => {
  requireValidServiceConfig(JSON.stringify(config));
});

test('ensure what a client sends has been checked', () => {
  const hedging = { methods: ['getStock'], attempts: 9, delayMs: 10 } as const;
  expect(() => serviceConfigOf(InventoryService, { hedging })).toThrow('grpc-js would misread');
});

/** How a call of a method ends under this config, in grpc-js as it is. */
async function codeUnder(config: object, target: string): Promise<Code> {
  const client = new GrpcClient(target, credentials.createInsecure(), {
    ...channelOptions,
    'grpc.service_config': JSON.stringify(config),
  });
  onTestFinished(() => client.close());
  const asIs = (bytes: Buffer) => bytes;
  const path = '/inventory.v1.InventoryService/GetStock';
  const options = { deadline: Date.now() + 60_000 };
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest(path, asIs, asIs, Buffer.of(), new Metadata(), options, resolve),
  );
  return error?.code ?? Code.OK;
}

test('ensure grpc-js still takes "0.5s" for 5 ns', async () => {
  await using server = await startRawServer(() => ({ 'grpc-status': Code.ABORTED }));
  expect(await codeUnder(withMethod({ timeout: '0.5s' }), server.target)).toBe(Code.DEADLINE_EXCEEDED);
});

test('ensure grpc-js still does not wait for a server, whatever waitForReady in a method says', async () => {
  const gone = await startRawServer(() => ({}));
  await gone[Symbol.asyncDispose]();
  expect(await codeUnder(withMethod({ waitForReady: true }), gone.target)).toBe(Code.UNAVAILABLE);
});

test('ensure grpc-js still makes five attempts of seven', async () => {
  await using server = await startRawServer(() => ({ 'grpc-status': Code.UNAVAILABLE }));
  await codeUnder(withRetry({ maxAttempts: 7 }), server.target);
  expect(server.attempts).toHaveLength(5);
});

test('ensure grpc-js still takes a policy that it does not know for pick_first', async () => {
  await using first = await startRawServer(() => ({ 'grpc-status': Code.ABORTED }));
  await using second = await startRawServer(() => ({ 'grpc-status': Code.ABORTED }));
  const target = `ipv4:${first.target},${second.target}`;
  await codeUnder(withPolicy({ least_request: {} }), target);
  expect([first.sessions.length, second.sessions.length]).toEqual([1, 0]);
});

test('ensure grpc-js still ignores baseEjectionTime', () => {
  const parse = (settings: object) =>
    experimental.parseLoadBalancingConfig({ outlier_detection: { ...outliers, ...settings } }).toJsonObject();
  expect(parse({ baseEjectionTime: { seconds: 1, nanos: 0 } })).toEqual(parse({}));
  expect(parse({ base_ejection_time: { seconds: 1, nanos: 0 } })).not.toEqual(parse({}));
});
