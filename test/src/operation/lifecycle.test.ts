import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openTestPool } from '@acme/postgres/testing';
import { checkHealth, createClient } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import { rejectionOf, startFaultProxy } from '@acme/rpc/testing';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { holdLock } from '../support/hold-lock.ts';
import { makeServiceEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

const needed = {
  inventory: ['AUTH_JWKS', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'DATABASE_URL'],
  orders: [
    'AUTH_JWKS',
    'AUTH_ISSUER',
    'AUTH_AUDIENCE',
    'DATABASE_URL',
    'INVENTORY_TARGET',
    'AUTH_TOKEN_FILE',
  ],
};

describe.for(['inventory', 'orders'] as const)('%s', (service) => {
  /** Starts the service, which must fail. Returns its stderr, which must be its only output and one line. */
  async function startErrorOf(variables: Readonly<Record<string, string>>): Promise<string> {
    await using process = startServiceProcess(service, variables);
    expect(await process.ended).toBe(1);
    expect(process.stdout()).toBe('');
    expect(process.stderr()).toMatch(/^[^\n]+\n$/);
    return process.stderr();
  }

  test.concurrent('every missing variable is named in one line', async () => {
    const startError = await startErrorOf({});
    expect(startError.match(/[A-Z_]+(?= is missing: expected )/g)).toEqual(needed[service]);
  });

  const production = { NODE_ENV: 'production', LISTEN_ADDRESS: '0.0.0.0:0' };
  test.concurrent.for<[Record<string, string>, RegExp]>([
    [{ NODE_ENV: 'prod' }, /^NODE_ENV is not valid: expected one of development, test, production\n$/],
    [{ LISTEN_ADDRESS: '127.0.0.1' }, /^LISTEN_ADDRESS is not valid \(the port is missing\): /],
    [production, /^TLS_MODE is not valid \(TLS is off on 0\.0\.0\.0:0, which other machines reach\): /],
    [{ ...production, NODE_ENV: '' }, /^TLS_MODE is not valid \(TLS is off on 0\.0\.0\.0:0/],
    [
      { NODE_ENV: 'production', DATABASE_URL: 'postgres://user:canary@192.0.2.1/db' },
      /^DATABASE_URL is not valid \(it leads to another machine and does not require TLS\): /,
    ],
  ])('a start with %j fails with one line', async ([variables, line]) => {
    await using environment = await makeServiceEnvironment();
    const startError = await startErrorOf({ ...environment.variables, ...variables });
    expect(startError).toMatch(line);
    expect(startError).not.toContain('canary');
  });

  test.concurrent('a port that is in use is reported in one line', async () => {
    await using environment = await makeServiceEnvironment();
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const startError = await startErrorOf({ ...environment.variables, LISTEN_ADDRESS: address });
    expect(startError).toContain(`cannot listen on ${address}: `);
  });

  test.concurrent('an unreachable database is reported in one line, without its password', async () => {
    await using environment = await makeServiceEnvironment();
    const startError = await startErrorOf({
      ...environment.variables,
      DATABASE_URL: 'postgres://user:canary-password@127.0.0.1:1/nowhere',
    });
    expect(startError).toBe(
      'cannot reach the database nowhere on 127.0.0.1:1 as user: connect ECONNREFUSED 127.0.0.1:1\n',
    );
    expect(startError).not.toContain('canary-password');
  });
});

const callsOf = {
  inventory: (target: string, token: string) =>
    createClient(InventoryService, { target, token: () => token }).listStock({}, { deadlineMs: 10_000 }),
  orders: (target: string, token: string) =>
    createClient(OrderService, { target, token: () => token }).listOrders({}, { deadlineMs: 10_000 }),
};

test.concurrent.for([
  ['inventory', 'LOCK TABLE stock', 1],
  // The settler also waits for the lock.
  ['orders', 'LOCK TABLE orders', 2],
] as const)(
  '%s completes the call in progress after SIGTERM and exits with 0',
  async ([service, lockStatement, waiting]) => {
    await using environment = await makeServiceEnvironment();
    await using process = startServiceProcess(service, environment.variables);
    const target = await process.target;
    const url = environment.variables.DATABASE_URL;
    await using pool = openTestPool({ url, max: 2 });
    await using lock = await holdLock(pool, lockStatement);
    const token = await environment.keys.sign({ scope: 'orders:read inventory:read' });
    const response = callsOf[service](target, token);
    await lock.untilBlocked(waiting);
    process.signal('SIGTERM');
    await eventually(async () => expect(await checkHealth(target)).toBe(false));
    await lock.release();
    expect(await response).toMatchObject({ nextPageToken: '' });
    expect(await process.ended).toBe(0);
    expect(process.stderr()).toBe('');
  },
);

test.concurrent('a service is not ready while its database is unreachable, and recovers by itself', async () => {
  await using environment = await makeServiceEnvironment();
  const url = new URL(environment.variables.DATABASE_URL);
  await using proxy = await startFaultProxy({ target: url.host });
  url.port = String(proxy.port);
  await using process = startServiceProcess('inventory', {
    ...environment.variables,
    DATABASE_URL: url.href,
  });
  const target = await process.target;
  await eventually(async () => expect(await checkHealth(target)).toBe(true));
  const token = await environment.keys.sign({ scope: 'inventory:read' });
  using inventory = createClient(InventoryService, { target, token: () => token });
  // Long enough for the client's retries to end.
  const options = { deadlineMs: 5000 };
  const codeOfACall = async () => (await rejectionOf(inventory.getStock({ sku: 'not sold' }, options))).code;
  expect(await codeOfACall()).toBe(Code.NOT_FOUND);

  proxy.refuseConnections();
  proxy.severAll();
  await eventually(async () => expect(await checkHealth(target)).toBe(false));
  expect(await codeOfACall()).toBe(Code.UNAVAILABLE);
  proxy.heal();
  await eventually(async () => expect(await checkHealth(target)).toBe(true));
  expect(await codeOfACall()).toBe(Code.NOT_FOUND);
});
