import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { policyOf } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callWithEmpty, rejectionOf } from '@acme/rpc/testing';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { describe, expect } from 'vitest';
import { test } from '../support/pair-test.ts';
import type { TestPair } from '../support/start-test-pair.ts';

const services: readonly DescService[] = [OrderService, InventoryService];
const methods = services.flatMap((service) => service.methods);
const everyScope = [...new Set(methods.flatMap((method) => policyOf(method).scopes))];

/** Calls any method with an empty request, and returns its first response. */
async function call(pair: TestPair, method: DescMethod, token?: string): Promise<unknown> {
  const [ordersTarget = ''] = pair.ordersTargets;
  const target = method.parent === OrderService ? ordersTarget : pair.inventoryTarget;
  using client = createClient(method.parent, { target, ...(token && { token: () => token }) });
  return await callWithEmpty(client, method);
}

describe.for(methods.map((method) => [method.name, method] as const))('%s', ([, method]) => {
  test('a call without a token is UNAUTHENTICATED', async ({ pair }) => {
    expect((await rejectionOf(call(pair, method))).code).toBe(Code.UNAUTHENTICATED);
  });

  test('a call with an invalid token is UNAUTHENTICATED', async ({ pair }) => {
    const good = await pair.token('alice', everyScope);
    const [, payload = ''] = good.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const bad = [
      `${good.slice(0, -8)}AAAAAAAA`,
      unsigned,
      await pair.token('alice', everyScope, { exp: 1 }),
      await pair.token('alice', everyScope, { nbf: 2 ** 40 }),
      await pair.token('alice', everyScope, { iss: 'https://other.example' }),
      await pair.token('alice', everyScope, { aud: 'something else' }),
    ];
    for (const token of bad)
      expect((await rejectionOf(call(pair, method, token))).code).toBe(Code.UNAUTHENTICATED);
  });

  test('a token for one service is UNAUTHENTICATED at the other', async ({ pair }) => {
    const other = method.parent === OrderService ? 'inventory' : 'orders';
    for (const aud of [other, [other], `${other} orders inventory`, undefined]) {
      const token = await pair.token('alice', everyScope, { aud });
      expect((await rejectionOf(call(pair, method, token))).code).toBe(Code.UNAUTHENTICATED);
    }
  });

  test('a call without one of the method’s scopes is PERMISSION_DENIED, whatever the other scopes', async ({
    pair,
  }) => {
    const { scopes } = policyOf(method);
    for (const missing of scopes) {
      const token = await pair.token(
        'alice',
        everyScope.filter((scope) => scope !== missing),
      );
      const error = await rejectionOf(call(pair, method, token));
      expect(error.code).toBe(Code.PERMISSION_DENIED);
      expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
        reason: 'SCOPE_MISSING',
        metadata: { scope: missing },
      });
    }
  });

  test('a call with only the method’s scopes is authorized', async ({ pair }) => {
    const token = await pair.token('alice', policyOf(method).scopes);
    const outcome = await call(pair, method, token).catch(({ code }) => code);
    expect([Code.UNAUTHENTICATED, Code.PERMISSION_DENIED]).not.toContain(outcome);
  });
});
