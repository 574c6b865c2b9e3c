import { expect, test } from 'vitest';
import { targetProblem } from '../../config/address.ts';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { answeringAs, startReplica } from '../../testing/replicas/start-replica.ts';
import { type Client, createClient } from '../create-client.ts';
import type { ResolverCallbacks } from './channel-resolver.ts';
import { registerResolver } from './register-resolver.ts';

interface Name {
  readonly path: string;
  readonly callbacks: ResolverCallbacks;
  refreshes: number;
  closes: number;
}

let schemes = 0;

/** Registers a resolver that reports what the test does, and records its calls. */
function register(onStart: (callbacks: ResolverCallbacks) => void = () => {}) {
  const scheme = `test-${++schemes}`;
  const names: Name[] = [];
  registerResolver(scheme, (path, callbacks) => {
    const name: Name = { path, callbacks, refreshes: 0, closes: 0 };
    names.push(name);
    onStart(callbacks);
    return {
      refresh: () => void name.refreshes++,
      close: () => void name.closes++,
    };
  });
  return { target: `${scheme}:///echo/eu`, names };
}

async function ask(client: Client<typeof EchoService>): Promise<string | undefined> {
  const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 10_000 });
  return echo?.text;
}

async function untilAnswer(client: Client<typeof EchoService>, name: string): Promise<void> {
  while ((await ask(client)) !== name);
}

const addressOf = ({ port }: { port: number }) => `127.0.0.1:${port}`;

test('a client follows the addresses that its resolver reports', async () => {
  await using a = await startReplica(answeringAs('a'));
  await using b = await startReplica(answeringAs('b'));
  const { target, names } = register(({ onAddresses }) => onAddresses([addressOf(a)]));
  using client = createClient(EchoService, { target });
  expect(await ask(client)).toBe('a');
  const [name] = names;
  expect(name?.path).toBe('echo/eu');
  name?.callbacks.onAddresses([addressOf(a), addressOf(b)]);
  await untilAnswer(client, 'b');
  name?.callbacks.onAddresses([addressOf(b)]);
  await untilAnswer(client, 'b');
  for (let call = 0; call < 10; call++) expect(await ask(client)).toBe('b');
  expect(names).toHaveLength(1);
});

test('a call waits for the first addresses', async () => {
  await using a = await startReplica(answeringAs('a'));
  const started = Promise.withResolvers<ResolverCallbacks>();
  const { target } = register(started.resolve);
  using client = createClient(EchoService, { target });
  const answer = ask(client);
  const { onAddresses } = await started.promise;
  onAddresses([addressOf(a)]);
  expect(await answer).toBe('a');
});

test.each([
  ['reports an error', ({ onError }: ResolverCallbacks) => onError(new Error('no route')), 'no route'],
  ['reports a text', ({ onError }: ResolverCallbacks) => onError('no route'), 'no route'],
  [
    'throws',
    () => {
      throw new Error('no route');
    },
    'no route',
  ],
  [
    'finds no address',
    ({ onAddresses }: ResolverCallbacks) => onAddresses([]),
    'the resolver found no address',
  ],
  [
    'returns another text',
    ({ onAddresses }: ResolverCallbacks) => onAddresses(['127.0.0.1']),
    'the resolver returned "127.0.0.1", which is no address',
  ],
  [
    'returns an empty path',
    ({ onAddresses }: ResolverCallbacks) => onAddresses(['unix:']),
    'the resolver returned "unix:", which is no address',
  ],
  [
    'returns an impossible port',
    ({ onAddresses }: ResolverCallbacks) => onAddresses(['127.0.0.1:65536']),
    'the resolver returned "127.0.0.1:65536", which is no address',
  ],
  [
    'returns no list, later',
    ({ onAddresses }: ResolverCallbacks) => setImmediate(() => onAddresses(null as never)),
    'the resolver returned no list of addresses',
  ],
])('calls of a resolver that %s are UNAVAILABLE with the reason', async (_name, onStart, reason) => {
  const { target } = register(onStart);
  using client = createClient(EchoService, { target });
  expect(await rejectionOf(client.getEcho({ key: 'A' }, { deadlineMs: 10_000 }))).toMatchObject({
    code: Code.UNAVAILABLE,
    message: `name resolution failed: ${reason}`,
  });
});

test('a call that waits for a replica survives a failed resolution', async () => {
  await using a = await startReplica(answeringAs('a'));
  const { target, names } = register(({ onError }) => onError('no route'));
  using client = createClient(EchoService, { target });
  await rejectionOf(client.getEcho({ key: 'A' }, { deadlineMs: 10_000 }));
  const answer = client.getEcho({ key: 'A' }, { deadlineMs: 10_000, waitForReady: true });
  names[0]?.callbacks.onAddresses([addressOf(a)]);
  expect((await answer).echo?.text).toBe('a');
});

test('an error leaves the last addresses in use', async () => {
  await using a = await startReplica(answeringAs('a'));
  const { target, names } = register(({ onAddresses }) => onAddresses([addressOf(a)]));
  using client = createClient(EchoService, { target });
  await ask(client);
  names[0]?.callbacks.onError('no route');
  names[0]?.callbacks.onAddresses([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await ask(client)).toBe('a');
});

test('a resolver is refreshed when its replicas cannot be reached, at most once a second', async () => {
  const replica = await startReplica(answeringAs('a'));
  const { target, names } = register(({ onAddresses }) => onAddresses([addressOf(replica)]));
  using client = createClient(EchoService, { target });
  await ask(client);
  await replica[Symbol.asyncDispose]();
  const startMs = performance.now();
  do {
    await rejectionOf(client.exchangeEchoes([]).next());
  } while (names[0]?.refreshes === 0);
  for (let call = 0; call < 20; call++) await rejectionOf(client.exchangeEchoes([]).next());
  const seconds = Math.ceil((performance.now() - startMs) / 1000);
  expect(names[0]?.refreshes).toBeLessThanOrEqual(seconds + 1);
  await using other = await startReplica(answeringAs('b'));
  names[0]?.callbacks.onAddresses([addressOf(other)]);
  const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 10_000, waitForReady: true });
  expect(echo?.text).toBe('b');
});

test('a resolver is closed with its client, and its callbacks have no effect then', async () => {
  await using a = await startReplica(answeringAs('a'));
  const { target, names } = register(({ onAddresses }) => onAddresses([addressOf(a)]));
  const client = createClient(EchoService, { target });
  await ask(client);
  client[Symbol.dispose]();
  expect(names).toMatchObject([{ closes: 1 }]);
  names[0]?.callbacks.onAddresses([addressOf(a)]);
  names[0]?.callbacks.onError('late');
});

test('a token is not sent to a target of a custom scheme in plain text', () => {
  const { target } = register();
  expect(() => createClient(EchoService, { target, token: () => 'a' })).toThrow('in plain text');
});

test('a target of a custom scheme is valid once its resolver is registered', () => {
  expect(targetProblem('test-scheme:///echo')).toContain('not a scheme');
  registerResolver('test-scheme', () => ({ close: () => {} }));
  expect(targetProblem('test-scheme:///echo')).toBeUndefined();
  expect(targetProblem('test-scheme:///')).toBe('the path is missing');
});

test.each(['dns', 'unix', 'ipv4', 'Consul', '', 'a b', 'test:'])(
  'the scheme %j cannot be registered',
  (scheme) => {
    expect(() => registerResolver(scheme, () => ({ close: () => {} }))).toThrow(/scheme/);
  },
);

test('a scheme has one resolver', () => {
  const resolve = () => ({ close: () => {} });
  registerResolver('test-one', resolve);
  registerResolver('test-one', resolve);
  expect(() => registerResolver('test-one', () => ({ close: () => {} }))).toThrow('another resolver');
});
