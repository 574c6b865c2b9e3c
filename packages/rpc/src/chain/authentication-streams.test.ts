import { afterEach, expect, test, vi } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const scopes = new Set(['echo:read', 'echo:write']);
const streaming = callsOfEachKind.filter(([kind]) => kind !== 'unary');

/** A server whose streams last until their signal is aborted. */
function start(verifyToken: (token: string) => Promise<{ subject: string; expiresAtMs?: number }>) {
  const held = Promise.withResolvers<void>();
  const handlers = handlerOfEachKind((_request: unknown, { signal }: { signal: AbortSignal }) => {
    held.resolve();
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const server = startTestServer(EchoService, handlers, {
    verifyToken: async (token) => ({ scopes, ...(await verifyToken(token)) }),
  });
  return { server, held: held.promise };
}

afterEach(() => {
  vi.useRealTimers();
});

test.each(streaming)('a %s call ends UNAUTHENTICATED when its token expires', async (_kind, call) => {
  const { server: starting } = start(async () => ({ subject: 'anna', expiresAtMs: Date.now() + 200 }));
  await using server = await starting;
  const error = await rejectionOf(call(server.client, { deadlineMs: 60_000 }));
  expect(error).toMatchObject({ code: Code.UNAUTHENTICATED, message: 'the token is no longer valid' });
});

test('a stream ends UNAUTHENTICATED when the key of its token is withdrawn, but not while keys cannot be read', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let answer: RpcError | undefined;
  let asked = Promise.withResolvers<void>();
  const { server: starting, held } = start(async () => {
    asked.resolve();
    if (answer) throw answer;
    return { subject: 'anna' };
  });
  await using server = await starting;
  using client = createClient(EchoService, { target: server.target, token: () => 'token' });
  const ended = rejectionOf(Array.fromAsync(client.watchEchoes({})));
  await held;
  for (const code of [Code.UNAVAILABLE, Code.UNAUTHENTICATED]) {
    answer = new RpcError(code, 'the key is gone');
    asked = Promise.withResolvers();
    vi.advanceTimersByTime(30_000);
    await asked.promise;
  }
  expect(await ended).toMatchObject({ code: Code.UNAUTHENTICATED, message: 'the token is no longer valid' });
});
