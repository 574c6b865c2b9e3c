import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { handlerOfEachKind, requestsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('a closed HTTP/2 stream does not keep its call in memory', async () => {
  const streams: unknown[] = [];
  const keep = (message: unknown) => streams.push(message);
  subscribe('http2.server.stream.close', keep);
  const calls: WeakRef<object>[] = [];
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => []),
    {
      modifyChain: (chain) => [
        (next) => (call) => {
          calls.push(new WeakRef(call));
          return next(call);
        },
        ...chain,
      ],
    },
  );
  await using connection = await connectRaw(server.target);
  for (const [method, request] of requestsOfEachKind)
    expect(await connection.post(methodPath(method), grpcFrame(request))).toMatchObject({ code: 0 });
  const left = () => {
    collectGarbage();
    return calls.filter((call) => call.deref()).length;
  };
  await expect.poll(left).toBe(0);
  expect(streams.length).toBeGreaterThanOrEqual(requestsOfEachKind.length);
  unsubscribe('http2.server.stream.close', keep);
});
