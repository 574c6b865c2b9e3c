import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import type { CallOptions } from '../client/outgoing-call/call-options.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService, ImportEchoesRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import {
  connectFrames,
  dataFrame,
  halfCloseFrame,
  headersFrame,
  resetFrame,
} from '../testing/network/raw-frames.ts';
import { grpcFrame } from '../testing/network/raw-http2.ts';
import { pastDeadline } from '../testing/past-deadline.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createMessageWriter } from './server-stream.ts';

test('a handler that waits for a slow reader runs its finally block when the caller cancels', async () => {
  const finished = Promise.withResolvers<string>();
  let sent = 0;
  await using server = await startTestServer(EchoService, {
    async *watchEchoes() {
      try {
        for (;;) {
          sent++;
          yield { resumeToken: 'x'.repeat(50_000) };
        }
      } finally {
        finished.resolve('finally has run');
      }
    },
  });
  const abort = new AbortController();
  const changes = server.client.watchEchoes({}, { signal: abort.signal });
  await changes.next();
  let before = 0;
  const isBlocked = () => {
    const isStill = sent === before;
    before = sent;
    return isStill;
  };
  await vi.waitUntil(isBlocked, { timeout: 15_000 });
  abort.abort();
  expect(await finished.promise).toBe('finally has run');
  await expect(Array.fromAsync(changes)).rejects.toMatchObject({ code: Code.CANCELLED });
});

test('a write that waits for the buffer ends when the call ends', async () => {
  const abort = new AbortController();
  const write = createMessageWriter({ write: () => new Promise(() => {}), signal: abort.signal });
  await write(Buffer.alloc(60 * 1024));
  const waiting = write(Buffer.alloc(8 * 1024));
  abort.abort('the call is over');
  await expect(waiting).rejects.toBe('the call is over');
});

/**
 * An ImportEchoes handler that reads all messages. Reports when it has the first message, how the reading ended
 * (undefined for a complete stream), and the reason of its signal, for which it waits.
 */
async function startReading() {
  const reading = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const aborted = Promise.withResolvers<unknown>();
  const server = await startTestServer(EchoService, {
    async importEchoes(requests, { signal }) {
      try {
        for await (const _request of requests) reading.resolve();
      } catch (error) {
        ended.resolve(error);
      } finally {
        ended.resolve(undefined);
      }
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted.resolve(signal.reason);
      return {};
    },
  });
  return { ...server, reading: reading.promise, ended: ended.promise, aborted: aborted.promise };
}

const row = { echo: { key: 'A' } };
const importHeaders = {
  ':method': 'POST',
  ':scheme': 'http',
  ':authority': 'localhost',
  ':path': methodPath(EchoService.method.importEchoes),
  'content-type': 'application/grpc',
  te: 'trailers',
  authorization: 'Bearer test-token',
};

test.each([
  ['resets, as clients in other languages do', [resetFrame]],
  ['half-closes and resets in one packet', [halfCloseFrame, resetFrame]],
])(
  'a client-streaming handler does not see the end of the stream when its caller %s',
  async (_name, frames) => {
    await using server = await startReading();
    using connection = await connectFrames(server.running.port);
    const message = toBinary(ImportEchoesRequestSchema, create(ImportEchoesRequestSchema, row));
    connection.send(headersFrame(importHeaders), dataFrame(grpcFrame(message)));
    await server.reading;
    connection.send(...frames);
    expect(await server.ended).toEqual(new RpcError(Code.CANCELLED, 'cancelled by the caller'));
  },
);

test('the server alone ends a client-streaming handler that waits for a message at the deadline', async () => {
  await using server = await startReading();
  using connection = await connectFrames(server.running.port);
  connection.send(headersFrame({ ...importHeaders, 'grpc-timeout': '100m' }));
  expect(await server.ended).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
});

const codes = [Code.CANCELLED, Code.DEADLINE_EXCEEDED];

/** A grpc-js client that cancels sends the half-close and then, in another packet, the reset. */
const waysToBreakOff: Record<string, (server: Awaited<ReturnType<typeof startReading>>) => Promise<unknown>> =
  {
    'its caller cancels': async ({ client, reading }) => {
      const abort = new AbortController();
      const call = client.importEchoes(
        rowAnd(() => new Promise(() => {})),
        { signal: abort.signal },
      );
      await Promise.race([call, reading]);
      abort.abort();
      return call;
    },
    "its caller's source of messages fails": ({ client, reading }) =>
      client.importEchoes(
        rowAnd(async () => {
          await reading;
          throw new RpcError(Code.ABORTED, 'the file cannot be read');
        }),
      ),
    "its caller's deadline has passed": async ({ client, reading }) => {
      let served = false;
      void reading.then(() => {
        served = true;
      });
      const call = (options: CallOptions) =>
        client.importEchoes(
          rowAnd(() => new Promise(() => {})),
          options,
        );
      throw await pastDeadline(call, () => served);
    },
  };

test.each(Object.entries(waysToBreakOff))(
  'a client-streaming handler that waits for a message runs its finally block, and its signal is aborted, when %s',
  async (_name, breakOff) => {
    await using server = await startReading();
    await rejectionOf(server.client.listEchoes({})); // connects, so that what is sent next is sent at once
    await rejectionOf(breakOff(server));
    await server.ended;
    expect(await server.aborted).toMatchObject({ code: expect.toBeOneOf(codes) });
  },
);

test('a long stream arrives complete and in order in both directions', async () => {
  await using server = await startTestServer(EchoService, {
    async *exchangeEchoes(requests) {
      for await (const { number } of requests) yield { number };
    },
  });
  const counts = Array.from({ length: 2000 }, (_, index) => ({ number: BigInt(index) }));
  const answers = await Array.fromAsync(server.client.exchangeEchoes(counts));
  expect(answers.map(({ number }) => number)).toEqual(counts.map(({ number }) => number));
});

async function* rowAnd(next: () => Promise<void>) {
  yield row;
  await next();
}

test('empty messages count in the buffer limit, too', async () => {
  const abort = new AbortController();
  const write = createMessageWriter({ write: () => new Promise(() => {}), signal: abort.signal });
  let written = 0;
  const writing = (async () => {
    for (;;) {
      await write(Buffer.alloc(0));
      written++;
    }
  })();
  setImmediate(() => abort.abort('the call is over'));
  await expect(writing).rejects.toBe('the call is over');
  expect(written).toBe(256);
});
