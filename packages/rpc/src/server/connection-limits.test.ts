import { once } from 'node:events';
import { connect } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { credentials, Client as GrpcClient, type ServerOptions } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { checkHealth } from '../client/health/check-health.ts';
import { Code } from '../errors/rpc-error.ts';
import { serverLimits } from '../limits/server-limits.ts';
import type { EchoImplementation } from '../testing/calls-of-each-kind.ts';
import { EchoService, GetEchoRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectFrames } from '../testing/network/raw-frames.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const getEcho = methodPath(EchoService.method.getEcho);
const request = grpcFrame(toBinary(GetEchoRequestSchema, create(GetEchoRequestSchema, { key: 'A' })));
const noError = 0;
const asIs = (bytes: Buffer) => bytes;

/** Returns the times of `serverLimits`, divided by `by`. */
function shortened(by: number, ...names: readonly (keyof ServerOptions)[]): ServerOptions {
  const short = (name: keyof ServerOptions) => {
    const ms = serverLimits[name];
    if (ms === undefined) throw new Error(`serverLimits has no ${name}`);
    return ms / by;
  };
  return Object.fromEntries(names.map((name) => [name, short(name)]));
}

/** 20 ms and 10 ms. */
const keepalive = shortened(1000, 'grpc.keepalive_time_ms', 'grpc.keepalive_timeout_ms');
/** 180 ms, plus or minus a tenth. */
const age = shortened(10_000, 'grpc.max_connection_age_ms');
/** 100 ms */
const grace = shortened(300, 'grpc.max_connection_age_grace_ms');
/** 180 ms */
const idle = shortened(5000, 'grpc.max_connection_idle_ms');

const start = (limits: ServerOptions, implementation: Partial<EchoImplementation> = {}) =>
  startTestServer(EchoService, implementation, { limits });

test('a socket that sends nothing is closed', async () => {
  await using server = await start(keepalive);
  const socket = connect(server.running.port, '127.0.0.1').resume();
  await once(socket, 'close');
});

test('a peer that answers no ping is disconnected', async () => {
  await using server = await start(keepalive);
  using connection = await connectFrames(server.running.port);
  await connection.closed;
});

test('a connection that answers pings stays open', async () => {
  await using server = await start(
    { ...keepalive, 'grpc.keepalive_timeout_ms': 10_000 },
    { getEcho: async () => ({}) },
  );
  await using connection = await connectRaw(server.target);
  for (let ping = 0; ping < 5; ping++) await connection.pinged();
  expect(await connection.post(getEcho, request)).toMatchObject({ code: Code.OK });
});

test('an idle connection is closed gracefully, and a connection with a call is not', async () => {
  const held = Promise.withResolvers<object>();
  await using server = await start(idle, { getEcho: () => held.promise });
  await using busy = await connectRaw(server.target);
  const answer = busy.post(getEcho, request);
  await using unused = await connectRaw(server.target);
  expect(await unused.goodbye).toBe(noError);
  await unused.closed;
  held.resolve({});
  expect(await answer).toMatchObject({ code: Code.OK });
  expect(await busy.goodbye).toBe(noError);
});

test('connections are replaced when they reach their age, and no call fails', async () => {
  const peers = new Set<string>();
  let triedAgain = 0;
  await using server = await start(age, {
    getEcho: async (_request, { peer, metadata }) => {
      peers.add(peer);
      if (metadata('grpc-previous-rpc-attempts')) triedAgain++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return {};
    },
  });
  const callOn = async () => {
    for (let call = 0; peers.size < 4 && call < 5000; call++)
      await server.client.getEcho({ key: 'A' }, { deadlineMs: 10_000 });
  };
  await Promise.all(Array.from({ length: 8 }, callOn));
  expect(peers.size).toBe(4);
  // Only a method that is safe to repeat may be retried.
  expect(triedAgain).toBe(0);
});

test('a call may outlive its connection by the grace period, and is then ended', async () => {
  const handlerEnded = Promise.withResolvers<void>();
  await using server = await start(
    { ...age, ...grace },
    {
      async *watchEchoes(_request, { signal }) {
        yield { resumeToken: 'first' };
        await once(signal, 'abort');
        handlerEnded.resolve();
      },
    },
  );
  const changes = server.client.watchEchoes({});
  expect((await changes.next()).value).toMatchObject({ resumeToken: 'first' });
  expect((await rejectionOf(changes.next())).code).toBe(Code.UNAVAILABLE);
  await handlerEnded.promise;
});

test('the 1,001st call of a connection waits, and no call fails', async () => {
  const { 'grpc.max_concurrent_streams': most = 0 } = serverLimits;
  const full = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let inFlight = 0;
  await using server = await startTestServer(
    EchoService,
    {
      getEcho: async () => {
        if (++inFlight === most) full.resolve();
        await released.promise;
        return {};
      },
    },
    { modifyChain: () => [] },
  );
  // A client of `createClient` would open a second connection.
  const client = new GrpcClient(server.target, credentials.createInsecure());
  const call = () =>
    new Promise<void>((resolve, reject) =>
      client.makeUnaryRequest(getEcho, asIs, asIs, Buffer.of(), { deadline: Date.now() + 15_000 }, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  const calls = Array.from({ length: most + 1 }, call);
  await full.promise;
  // A call on another connection takes as long as the last call would need to arrive.
  await checkHealth(server.target);
  expect(inFlight).toBe(1000);
  released.resolve();
  await Promise.all(calls);
  expect(inFlight).toBe(1001);
  client.close();
});
