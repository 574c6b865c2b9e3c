import { glob } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { create, createFileRegistry, type DescService, setExtension } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { MethodPolicySchema, method as methodPolicy } from '../gen/policy/v1/policy_pb.ts';
import { serve } from '../server/served-service.ts';
import { startServer } from '../server/start-server.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import type { CallContext } from './call-context.ts';
import { isAnonymous, type Policies, policiesOf, policyOf, resolvePolicies } from './policy.ts';

/** Every generated service of the contracts, future ones too, except gRPC's own. */
async function ourServices(): Promise<DescService[]> {
  const folder = fileURLToPath(new URL('../../../../', import.meta.url));
  const services: DescService[] = [];
  for await (const file of glob('{gen/src,packages/rpc/src/testing/gen}/**/*_pb.ts', {
    cwd: folder,
    exclude: ['gen/src/grpc/**'],
  })) {
    const values: { kind?: string }[] = Object.values(await import(`${folder}${file}`));
    services.push(...values.filter((value): value is DescService => value?.kind === 'service'));
  }
  return services;
}

test('every method of every service of the contracts has a policy', async () => {
  const services = await ourServices();
  expect(services.map(({ typeName }) => typeName)).toContain('testing.v1.EchoService');
  for (const service of services) for (const method of service.methods) policyOf(method);
});

interface PolicyInit {
  readonly deadline?: { seconds: bigint };
  readonly maxDeadline?: { seconds: bigint };
  readonly scopes?: string[];
  readonly anonymous?: boolean;
}

/** Returns a service of one method with this policy or none. */
function serviceWith(policy: PolicyInit | undefined): DescService {
  const options = create(MethodOptionsSchema);
  if (policy) setExtension(options, methodPolicy, create(MethodPolicySchema, policy));
  const file = create(FileDescriptorProtoSchema, {
    name: 'shop/v1/shop_service.proto',
    package: 'shop.v1',
    syntax: 'proto3',
    messageType: [{ name: 'OpenRequest' }, { name: 'OpenResponse' }],
    service: [
      {
        name: 'ShopService',
        method: [
          { name: 'Open', inputType: '.shop.v1.OpenRequest', outputType: '.shop.v1.OpenResponse', options },
        ],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService('shop.v1.ShopService');
  if (!service) throw new Error('the descriptor holds no service');
  return service;
}

const second = { seconds: 1n };

describe('a service whose method has no policy', () => {
  const service = serviceWith(undefined);
  const message =
    "shop.v1.ShopService/Open has no policy: add the option (policy.v1.method) to the contract, or 'shop.v1.ShopService' to `policies` in code";

  const startWith = async (policies: Policies) => {
    const server = await startServer({
      address: '127.0.0.1:0',
      services: [serve(service, { open: (async () => ({})) as never })],
      policies,
      chain: () => [],
      log: collectLog().log,
      reflection: false,
    });
    await server.drain({ pauseMs: 0, timeoutMs: 0 });
  };

  test('is rejected at the start with the name of the method', async () => {
    await expect(startWith({})).rejects.toThrow(message);
  });

  test('is rejected with a policy that has no deadline', async () => {
    const policies = { 'shop.v1.ShopService': { deadlineMs: Number.POSITIVE_INFINITY, scopes: [] } };
    const expected = 'shop.v1.ShopService/Open: a server needs a finite deadlineMs in `policies`';
    await expect(startWith(policies)).rejects.toThrow(expected);
  });

  test('gets no client', () => {
    expect(() => createClient(service, { target: 'localhost:1' })).toThrow(message);
  });
});

test.each<[string, PolicyInit, string]>([
  ['no deadline', { scopes: ['shop:open'] }, 'policy.v1.method.deadline must be longer than 0'],
  ['a deadline of 0', { deadline: { seconds: 0n }, scopes: ['shop:open'] }, 'deadline must be longer than 0'],
  [
    'no scopes',
    { deadline: second },
    'scopes is empty: list the scopes that the caller needs, or set `anonymous: true` for a public method',
  ],
  [
    'scopes that is anonymous',
    { deadline: second, scopes: ['shop:open'], anonymous: true },
    'policy.v1.method has scopes, and is anonymous: remove one of the two',
  ],
  [
    'a max_deadline below its deadline',
    { deadline: { seconds: 2n }, maxDeadline: second, scopes: ['shop:open'] },
    'max_deadline is shorter than deadline',
  ],
])('a policy with %s is rejected', (_name, policy, message) => {
  expect(() => serviceWith(policy).methods.map((method) => policyOf(method))).toThrow(message);
});

test('a policy is in milliseconds, and an absent max_deadline is five deadlines', () => {
  const read = (policy: PolicyInit) => serviceWith(policy).methods.map((method) => policyOf(method));
  expect(read({ deadline: second, scopes: ['shop:open'] })).toEqual([
    { deadlineMs: 1000, maxDeadlineMs: 5000, scopes: ['shop:open'] },
  ]);
  expect(read({ deadline: second, maxDeadline: { seconds: 9n }, scopes: ['shop:open'] })).toEqual([
    { deadlineMs: 1000, maxDeadlineMs: 9000, scopes: ['shop:open'] },
  ]);
});

test('a method is anonymous only if its contract says so', () => {
  const isPublic = (policy: PolicyInit) =>
    serviceWith(policy).methods.map((method) => isAnonymous(policyOf(method)));
  expect(isPublic({ deadline: second, anonymous: true })).toEqual([true]);
  expect(isPublic({ deadline: second, scopes: ['shop:open'] })).toEqual([false]);
});

/** Serves ShopService with these policies in code, and calls it with the token of a caller with these scopes. */
async function openShop(policies: Policies, scopes: readonly string[], token?: () => string) {
  const service = serviceWith(undefined);
  let deadlineMs = 0;
  const open = async (_request: unknown, { deadlineAtMs }: CallContext) => {
    deadlineMs = deadlineAtMs - Date.now();
    return {};
  };
  const principal = { subject: 'anna', scopes: new Set(scopes) };
  await using server = await startTestServer(service, { open: open as never }, { policies, principal });
  using client = createClient(service, { target: server.target, policies, token });
  await (client as unknown as Record<string, (request: object) => Promise<unknown>>).open?.({});
  return deadlineMs;
}

describe('a service with policies in code', () => {
  const token = () => 'test-token';
  const guarded = { 'shop.v1.ShopService': { deadlineMs: 60_000, scopes: ['shop:open'] } };

  test('is served with their deadline to a caller with their scopes', async () => {
    const deadlineMs = await openShop(guarded, ['shop:open'], token);
    expect(deadlineMs).toBeGreaterThan(30_000);
    expect(deadlineMs).toBeLessThanOrEqual(60_000);
  });

  test('is not served to another caller', async () => {
    await expect(openShop(guarded, [], token)).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    await expect(openShop(guarded, ['shop:open'])).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  test('is public if their list of scopes is empty', async () => {
    await openShop({ 'shop.v1.ShopService/Open': { deadlineMs: 60_000, scopes: [] } }, []);
  });
});

test('the policies of one service are found among those of several', () => {
  const policy = { deadlineMs: 1, scopes: [] };
  const own = { 'shop.v1.ShopService': policy, 'shop.v1.ShopService/Open': policy };
  const all = { ...own, 'shop.v1.ShopServiceAdmin': policy, 'shop.v2.ShopService/Open': policy };
  expect(policiesOf(serviceWith(undefined), all)).toEqual(own);
});

describe('policies in code', () => {
  const foreign = serviceWith(undefined);
  const resolve = (policies: Policies, service = foreign) =>
    service.methods.map(resolvePolicies([service], policies));
  const open = { deadlineMs: 100, scopes: ['shop:open'] };

  /** Returns policies with a part that the types exclude, as of code without types. */
  function withPart(part: object): Policies {
    return { 'shop.v1.ShopService': { ...open, ...part } };
  }

  test('apply to all methods of a service, and that of a method takes precedence', () => {
    expect(resolve({ 'shop.v1.ShopService': open })).toEqual([
      { deadlineMs: 100, maxDeadlineMs: 500, scopes: ['shop:open'] },
    ]);
    expect(
      resolve({
        'shop.v1.ShopService': open,
        'shop.v1.ShopService/Open': { deadlineMs: 7, maxDeadlineMs: 7, scopes: [], maxRequestBytes: 10 },
      }),
    ).toEqual([{ deadlineMs: 7, maxDeadlineMs: 7, scopes: [], maxRequestBytes: 10 }]);
  });

  test('have a quota whose burst is the calls of one second by default', () => {
    const quotaOf = (quota: NonNullable<Policies[string]['quota']>) =>
      resolve({ 'shop.v1.ShopService': { ...open, quota } }).map((policy) => policy.quota);
    expect(quotaOf({ callsPerSecond: 2.5 })).toEqual([{ callsPerSecond: 2.5, burst: 3, exemptScope: '' }]);
    expect(quotaOf({ callsPerSecond: 1, burst: 9, exemptScope: 'shop:any' })).toEqual([
      { callsPerSecond: 1, burst: 9, exemptScope: 'shop:any' },
    ]);
  });

  test.each<[string, Policies, string]>([
    [
      'a service that is not served',
      { 'shop.v1.ShopService': open, 'shop.v2.ShopService': open },
      "policies['shop.v2.ShopService'] names no method and no service of shop.v1.ShopService",
    ],
    [
      'an unknown method',
      { 'shop.v1.ShopService/Close': open },
      "policies['shop.v1.ShopService/Close'] names no",
    ],
    ['no deadline', { 'shop.v1.ShopService': { ...open, deadlineMs: 0 } }, 'deadlineMs must be over 0'],
    [
      'a maximum below the deadline',
      { 'shop.v1.ShopService': { ...open, maxDeadlineMs: 1 } },
      'maxDeadlineMs is shorter than deadlineMs',
    ],
    ['scopes that are no list', withPart({ scopes: 'shop:open' }), 'scopes must be a list of scopes'],
    ['no scopes', withPart({ scopes: undefined }), 'scopes must be a list of scopes'],
    ['a scope with a space', withPart({ scopes: ['a b'] }), 'scopes must be a list of scopes'],
    ['an empty scope', withPart({ scopes: [''] }), 'scopes must be a list of scopes'],
    ['an unknown key', withPart({ quotas: {} }), "policies['shop.v1.ShopService'].quotas is not a part of a"],
    ['no number as deadline', withPart({ deadlineMs: Number.NaN }), 'deadlineMs must be over 0'],
    ['half a byte', withPart({ maxRequestBytes: 0.5 }), 'maxRequestBytes must be a whole number over 0'],
    ['an endless quota', withPart({ quota: { callsPerSecond: Infinity } }), 'must be over 0, and finite'],
    [
      'half a burst',
      withPart({ quota: { callsPerSecond: 1, burst: 0.5 } }),
      'the burst must be a whole number',
    ],
    ['a negative burst', withPart({ quota: { callsPerSecond: 1, burst: -1 } }), 'the burst must be a whole'],
    [
      'an empty quota',
      { 'shop.v1.ShopService/Open': { ...open, quota: { callsPerSecond: 0 } } },
      "policies['shop.v1.ShopService/Open'].quota.callsPerSecond must be over 0",
    ],
    [
      'a request limit of 0',
      { 'shop.v1.ShopService': { ...open, maxRequestBytes: 0 } },
      'maxRequestBytes must be a whole number over 0',
    ],
  ])('with %s are rejected', (_name, policies, message) => {
    expect(() => resolve(policies)).toThrow(message);
  });

  test.each(['shop.v1.ShopService', 'shop.v1.ShopService/Open'])(
    'for %s, whose contract has the option, are rejected',
    (key) => {
      const own = serviceWith({ deadline: second, scopes: ['shop:open'] });
      expect(() => resolve({ [key]: open }, own)).toThrow(
        `shop.v1.ShopService/Open has a policy in its contract, and another one in policies['${key}']: remove one`,
      );
    },
  );
});
