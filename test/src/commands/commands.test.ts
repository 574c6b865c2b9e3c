import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, services } from '@acme/dev/repository';
import { findRunningServices } from '@acme/dev/start';
import { checkHealth } from '@acme/rpc/client';
import { test as baseTest, describe, expect, vi } from 'vitest';
import { commandExists, runCommand, startCommand } from './command.ts';

const anyPorts = services.flatMap(({ name }) => [`--${name}-port`, '0', `--${name}-web-port`, '0']);

async function dataFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'start-'));
  // If root runs the test, the database runs as another user, which needs access to the folder.
  await chmod(folder.path, 0o755);
  return folder;
}

/** With the data folder of an `npm start` that the tests of this file share. */
// biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
const test = baseTest.extend('data', { scope: 'file' }, async ({}, { onCleanup }) => {
  const running = new AsyncDisposableStack();
  onCleanup(() => running.disposeAsync());
  const folder = running.use(await dataFolder());
  const start = running.use(startCommand('start', '--data', folder.path, ...anyPorts));
  await start.printed('Ready.');
  running.defer(async () => {
    start.child.kill('SIGINT');
    await start.ended();
  });
  return folder.path;
});

function placeOrder(data: string, requestId: string) {
  const order = { request_id: requestId, lines: [{ sku: 'SAT-0001', quantity: 2 }] };
  return runCommand('call', 'orders.v1.OrderService/PlaceOrder', JSON.stringify(order), '--data', data);
}

/** The result of a command that needs services. */
const notRunning = {
  code: 1,
  stderr: expect.stringMatching(/^no service is running on [^\n]*npx svc start\n$/),
};

/** Returns the calls that the README shows. */
async function callsInReadme(): Promise<[method: string, json: string][]> {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const calls = [...readme.matchAll(/^npm run call -- (\S+) '(.*)'$/gm)];
  expect(calls.length).toBeGreaterThan(0);
  return calls.map(([, method = '', json = '']) => [method, json]);
}

describe('npm start', () => {
  test('starts the pair, and keeps its data after Ctrl-C and after kill -9', async () => {
    await using folder = await dataFolder();
    const data = folder.path;
    const requestId = randomUUID();

    await using first = startCommand('start', '--data', data, ...anyPorts);
    await first.printed('Ready.');
    const placed = await placeOrder(data, requestId);
    expect(placed).toMatchObject({ code: 0, stdout: expect.stringContaining('STATE_CONFIRMED') });

    await using counting = startCommand('call', 'inventory.v1.InventoryService/CountStock', '--data', data);
    // As an editor on Windows writes it.
    const counts = ['{"sku": "SAT-0002", "counted": 900}', '', '{"sku": "NONE", "counted": 1}', ''];
    counting.child.stdin?.end(`\uFEFF${counts.join('\r\n')}`);
    const counted = await counting.ended();
    expect(counted).toMatchObject({ code: 0, stderr: '' });
    expect(counted.stdout).toMatch(/"difference": "-100".*"error_reason": "SKU_NOT_FOUND"/s);

    for (const [method, json] of await callsInReadme())
      expect(await runCommand('call', method, json, '--data', data)).toMatchObject({ code: 0, stderr: '' });

    const [, token, curl] = /^ {2}(export TOKEN=.*)\n(?:.*\n)* {2}(curl .*)\n/m.exec(first.output()) ?? [];
    const answer = await promisify(execFile)('sh', ['-c', `${token}\n${curl}`], { cwd: root });
    expect(JSON.parse(answer.stdout)).toMatchObject({ stock: { sku: 'SAT-0001' } });

    const second = await runCommand('start', '--data', data, ...anyPorts);
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^[^\n]* is in use by process \d+[^\n]*\n$/),
    });

    first.child.kill('SIGINT');
    expect(await first.ended()).toMatchObject({ code: 0, stderr: '' });
    expect(await placeOrder(data, requestId)).toMatchObject(notRunning);

    await using again = startCommand('start', '--data', data, ...anyPorts);
    await again.printed('Ready.');
    expect((await placeOrder(data, requestId)).stdout).toBe(placed.stdout);
    // On a busy machine a health check may take longer than its deadline.
    const running = await vi.waitUntil(() => findRunningServices(data), { timeout: 30_000 });
    again.child.kill('SIGKILL');
    await again.ended();
    expect(await placeOrder(data, requestId)).toMatchObject(notRunning);

    await using recovered = startCommand('start', '--data', data, ...anyPorts);
    await recovered.printed('Ready.');
    expect((await placeOrder(data, requestId)).stdout).toBe(placed.stdout);
    expect(await checkHealth(running.targets.orders ?? '')).toBe(false);
    recovered.child.kill('SIGTERM');
    expect(await recovered.ended()).toMatchObject({ code: 0 });
  }, 120_000);

  test('stops after a Ctrl-C while it starts, and does not become ready', async () => {
    await using folder = await dataFolder();
    await using starting = startCommand('start', '--data', folder.path, ...anyPorts);
    await starting.printed('  up  ');
    starting.child.kill('SIGINT');
    const { code, stdout, stderr } = await starting.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('Ready');
    expect(await findRunningServices(folder.path)).toBe(undefined);
  }, 120_000);

  test('reports a port that is in use in one line, and leaves nothing running', async ({ data }) => {
    const running = await vi.waitUntil(() => findRunningServices(data), { timeout: 30_000 });
    const port = running.targets.orders?.split(':')[1] ?? '';
    await using other = await dataFolder();
    const refused = await runCommand('start', '--data', other.path, ...anyPorts, '--orders-port', port);
    expect(refused).toMatchObject({
      code: 1,
      stderr: `cannot listen on 127.0.0.1:${port} (EADDRINUSE): stop the process that does, or use --orders-port N\n`,
    });
    expect(await findRunningServices(other.path)).toBe(undefined);
  }, 120_000);

  test('reports in one line that the data folder is not a folder', async () => {
    await using folder = await dataFolder();
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    const refused = await runCommand('start', '--data', file, ...anyPorts);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^the data folder [^\n]* is not a folder[^\n]*\n$/),
    });
  });
});

describe('npm run call', () => {
  test('reads the request from stdin, and prints what fails in a line for each violation', async ({
    data,
  }) => {
    const call = async (stdin: string, method: string, ...args: string[]) => {
      await using command = startCommand('call', method, ...args, '--data', data);
      command.child.stdin?.end(stdin);
      return await command.ended();
    };
    const getStock = 'inventory.v1.InventoryService/GetStock';
    expect(await call('\uFEFF{"sku":\r\n"SAT-0001"}\r\n', getStock, '-', '-v')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"on_hand": "1000"'),
      stderr: expect.stringMatching(/^header content-type: application\/grpc\+proto$/m),
    });
    expect(await call('', getStock, '{"sku": "NONE"}')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'NOT_FOUND: there is no SKU NONE\n  reason: SKU_NOT_FOUND of inventory.v1\n  resource: inventory.v1/Stock NONE\n',
    });
    expect(await call('{"lines": [{"sku": "A"}]}', 'orders.v1.OrderService/PlaceOrder', '-')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^INVALID_ARGUMENT: .*\n {2}request_id: .*\n {2}lines\[0\]\.quantity: .*\n$/,
      ),
    });
    expect(await call('', getStock, '{"sku": "SAT-0001"}', '--no-token')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^UNAUTHENTICATED: [^\n]*\n$/),
    });
    expect(await call('', getStock, '{"skuu": 1}')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^JSON: .* key "skuu" is unknown\n$/),
    });
  }, 120_000);
});

describe.skipIf(!commandExists('replay'))('npm run replay', () => {
  const orders = [
    {
      invoice: '1',
      customer: 'a',
      lines: [
        { sku: 'X', quantity: 3 },
        { sku: 'BANK CHARGES', quantity: 1 },
      ],
    },
    { invoice: '2', customer: 'guest', lines: [{ sku: 'X', quantity: 1 }] },
    { invoice: '3', customer: 'guest', lines: [{ sku: 'x', quantity: 5 }] },
  ];

  test('confirms all orders with ample stock, changes nothing when repeated, and oversells nothing with scarce stock', async () => {
    await using folder = await dataFolder();
    const file = join(folder.path, 'orders.ndjson');
    await writeFile(file, `\uFEFF${orders.map((order) => JSON.stringify(order)).join('\r\n')}`);
    const replay = async (stock: string) => {
      const report = join(folder.path, 'report.json');
      const ended = await runCommand(
        'replay',
        file,
        '--stock',
        stock,
        '--json',
        report,
        '--data',
        folder.path,
      );
      expect(ended).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('the databases agree'),
      });
      return JSON.parse(await readFile(report, 'utf8'));
    };
    const all = { orders: 3, confirmed: 3, rejected: 0, units: 10, skus: 3 };
    expect(await replay('ample')).toMatchObject(all);
    expect(await replay('ample')).toMatchObject(all);
    // Half of 4, 1 and 5 units: only the order of one X has enough stock.
    expect(await replay('scarce')).toMatchObject({ orders: 3, confirmed: 1, rejected: 2, units: 1 });
  }, 120_000);
});

describe('npm run watch', () => {
  test('prints a line per change, ends with Ctrl-C, and resumes from the token that it printed', async ({
    data,
  }) => {
    await using orders = startCommand('watch', 'orders', '--data', data);
    await using stock = startCommand('watch', 'stock', '--sku', 'SAT-0001', '--data', data);
    await Promise.all([orders.printed('watching'), stock.printed('watching')]);
    await placeOrder(data, randomUUID());
    await orders.printed('CONFIRMED  alice  2 × SAT-0001');
    await stock.printed('(1000 on hand, 2 reserved)');
    orders.child.kill('SIGINT');
    const { code, stdout } = await orders.ended();
    expect(code).toBe(0);
    const [, from = ''] = /\nresume from here: (--from=\S+)\n$/.exec(stdout) ?? [];

    await placeOrder(data, randomUUID());
    await using resumed = startCommand('watch', 'orders', from, '--data', data);
    await resumed.printed('CONFIRMED');
    await stock.printed('(1000 on hand, 4 reserved)');

    resumed.child.stdout?.destroy();
    await placeOrder(data, randomUUID());
    expect(await resumed.ended()).toMatchObject({ code: 141, stderr: '' });
  }, 120_000);

  test('prints its usage, and rejects an unknown stream', async () => {
    expect(await runCommand('watch', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^usage: npx svc watch STREAM [\s\S]*\n {2}stock \[--sku SKU\]…/),
    });
    expect(await runCommand('watch', 'ordrs')).toMatchObject({
      code: 2,
      stderr: 'unknown stream ordrs: did you mean orders?\n',
    });
  });
});

describe('npm run token', () => {
  test('prints a token with the given subject and scopes', async () => {
    await using folder = await dataFolder();
    const { code, stdout } = await runCommand(
      'token',
      ...['--sub', 'alice', '--scopes', 'orders:read orders:write', '--data', folder.path],
    );
    expect(code).toBe(0);
    const [, claims = ''] = stdout.trim().split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: 'orders',
      sub: 'alice',
      scope: 'orders:read orders:write',
    });
  });

  test('signs a token for one service, and requires --audience if the scopes are of two', async () => {
    await using folder = await dataFolder();
    const both = ['--sub', 'alice', '--scopes', 'orders:read inventory:read', '--data', folder.path];
    expect(await runCommand('token', ...both)).toMatchObject({
      code: 1,
      stderr:
        'a token is for one service, and these scopes are of orders, inventory: choose one with --audience\n',
    });
    const { code, stdout } = await runCommand('token', ...both, '--audience', 'inventory');
    expect(code).toBe(0);
    const [, claims = ''] = stdout.trim().split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ aud: 'inventory' });
  });

  test('reports an option that is missing', async () => {
    expect(await runCommand('token', '--sub', 'alice')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--scopes is missing\. Usage: npx svc token [^\n]*\n$/),
    });
  });
});
