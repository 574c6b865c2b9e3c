import { durationMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { policyOf } from '../call/policy.ts';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { QuotaFailureSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { quota } from './quota.ts';

const { watchEchoes } = EchoService.method;
const limits = policyOf(watchEchoes).quota;

/** A server with a test clock for quotas, whose callers have their token as the subject. */
async function start() {
  let nowMs = 0;
  const scopes = new Set(['echo:read']);
  const server = await startTestServer(
    EchoService,
    { watchEchoes: async function* () {}, getEcho: async () => ({}) },
    {
      verifyToken: async (subject) => ({ subject, scopes }),
      modifyChain: (chain) => [...chain, quota(() => nowMs)],
    },
  );
  const clientOf = (subject: string) =>
    createClient(EchoService, { target: server.target, token: () => subject });
  return { ...server, clientOf, advance: (ms: number) => (nowMs += ms) };
}

test('the contract gives watches a quota', () => {
  expect(limits).toEqual({ callsPerSecond: 50, burst: 500, exemptScope: 'echo:read:any' });
});

test('a caller over its quota is rejected until its bucket has filled, and others are not', async () => {
  await using server = await start();
  using anna = server.clientOf('anna');
  using ben = server.clientOf('ben');
  const watch = (client: typeof anna) => Array.fromAsync(client.watchEchoes({}));
  for (let call = 0; call < 500; call++) await watch(anna);
  const error = await rejectionOf(watch(anna));
  expect(error).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  expect(error.findDetail(QuotaFailureSchema)?.violations).toMatchObject([
    { description: '50 calls of testing.v1.EchoService/WatchEchoes a second, 500 at once' },
  ]);
  const delay = error.findDetail(RetryInfoSchema)?.retryDelay;
  expect(delay && durationMs(delay)).toBe(20);
  await watch(ben);
  await anna.getEcho({ key: 'A' });
  server.advance(19);
  await rejectionOf(watch(anna));
  server.advance(1);
  await watch(anna);
});

test('the quota does not apply to a caller with the exempt scope', async () => {
  await using server = await startTestServer(
    EchoService,
    { watchEchoes: async function* () {} },
    { verifyToken: async () => ({ subject: 'shop', scopes: new Set(['echo:read', 'echo:read:any']) }) },
  );
  for (let call = 0; call <= Number(limits?.burst); call++)
    await Array.fromAsync(server.client.watchEchoes({}));
});
