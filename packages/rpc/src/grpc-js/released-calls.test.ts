import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { methodPath } from '../call/method-name.ts';
import { handlerOfEachKind, requestsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Serves with this token verification, keeps the closed streams, and counts the calls that are in memory. */
async function startCounting(verifyToken: TokenVerifier['verify']) {
  const streams: unknown[] = [];
  const keep = (message: unknown) => streams.push(message);
  subscribe('http2.server.stream.close', keep);
  const calls: WeakRef<object>[] = [];
  const server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => []),
    {
      verifyToken,
      modifyChain: (chain) => [
        (next) => (call) => {
          calls.push(new WeakRef(call));
          return next(call);
        },
        ...chain,
      ],
    },
  );
  return {
    target: server.target,
    streams,
    left: () => {
      collectGarbage();
      return calls.filter((call) => call.deref()).length;
    },
    [Symbol.asyncDispose]: async () => {
      unsubscribe('http2.server.stream.close', keep);
      await server[Symbol.asyncDispose]();
    },
  };
}

const principal = { subject: 'tester', scopes: new Set(['echo:read', 'echo:write']) };

test('a closed HTTP/2 stream does not keep its call in memory', async () => {
  await using server = await startCounting(async () => principal);
  await using connection = await connectRaw(server.target);
  for (const [method, request] of requestsOfEachKind)
    expect(await connection.post(methodPath(method), grpcFrame(request))).toMatchObject({ code: 0 });
  await expect.poll(server.left).toBe(0);
  expect(server.streams.length).toBeGreaterThanOrEqual(requestsOfEachKind.length);
});

test('nor does the stream of a caller that was gone before its request was read', async () => {
  const verified = Promise.withResolvers<typeof principal>();
  await using server = await startCounting(() => verified.promise);
  const connection = await connectRaw(server.target);
  const answers = requestsOfEachKind.map(([method, request]) =>
    connection.post(methodPath(method), grpcFrame(request)),
  );
  await vi.waitUntil(() => server.left() === answers.length, { timeout: 15_000 });
  await connection[Symbol.asyncDispose]();
  await Promise.all(answers);
  await vi.waitUntil(() => server.streams.length >= answers.length, { timeout: 15_000 });
  verified.resolve(principal);
  await expect.poll(server.left).toBe(0);
});
