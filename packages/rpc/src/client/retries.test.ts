import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startRawServer } from '../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';

/** A server that is always UNAVAILABLE, with a pushback. */
const startPushingBack = (pushback: string) =>
  startRawServer(() => ({ 'grpc-status': Code.UNAVAILABLE, 'grpc-retry-pushback-ms': pushback }));

test('a call is not retried when the pushback of the server forbids it', async () => {
  await using server = await startPushingBack('-1');
  using client = createClient(EchoService, { target: server.target });
  expect((await rejectionOf(client.getEcho({ key: 'A' }))).code).toBe(Code.UNAVAILABLE);
  expect(server.attempts).toHaveLength(1);
});

test('the pushback of the server replaces the backoff of the policy', async () => {
  await using server = await startPushingBack('60000');
  using client = createClient(EchoService, { target: server.target });
  expect((await rejectionOf(client.getEcho({ key: 'A' }))).code).toBe(Code.DEADLINE_EXCEEDED);
  expect(server.attempts).toHaveLength(1);
});

test('grpc-js still retries at once after a pushback that is not a number, where gRFC A6 forbids a retry', async () => {
  await using server = await startPushingBack('soon');
  using client = createClient(EchoService, { target: server.target });
  await rejectionOf(client.getEcho({ key: 'A' }));
  expect(server.attempts).toHaveLength(3);
});

test('retries pause while half of the tokens are used, for all clients of the target', async () => {
  await using server = await startPushingBack('0');
  using client = createClient(EchoService, { target: server.target });
  using another = createClient(EchoService, { target: server.target });
  const attemptsOf = async (call: Promise<unknown>) => {
    const before = server.attempts.length;
    await rejectionOf(call);
    return server.attempts.length - before;
  };
  const attempts: number[] = [];
  for (let call = 0; call < 20; call++)
    attempts.push(await attemptsOf(client.getEcho({ key: 'A' }, { deadlineMs: 60_000 })));
  // 16 calls cost 48 of the 100 tokens. With the second attempt of the next one, 50 are left, which is not over half.
  expect(attempts).toEqual([...Array(16).fill(3), 2, 1, 1, 1]);
  expect(await attemptsOf(another.listEchoes({}, { deadlineMs: 60_000 }))).toBe(1);
});

test('a stream is not retried after its first message', async () => {
  let attempts = 0;
  await using server = await startTestServer(EchoService, {
    async *watchEchoes() {
      attempts++;
      yield { resumeToken: 'first' };
      throw new RpcError(Code.UNAVAILABLE, 'not now');
    },
  });
  const received: string[] = [];
  const read = async () => {
    for await (const { resumeToken } of server.client.watchEchoes({})) received.push(resumeToken);
  };
  expect((await rejectionOf(read())).code).toBe(Code.UNAVAILABLE);
  expect(received).toEqual(['first']);
  expect(attempts).toBe(1);
});
