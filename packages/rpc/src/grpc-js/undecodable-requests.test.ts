import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import {
  EchoService,
  GetEchoRequestSchema,
  ImportEchoesRequestSchema,
} from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';

/** The contract has no recursive message, but groups of an unknown field can nest. */
const groups = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]);

const badBytes: Record<string, Buffer> = {
  garbage: Buffer.from('ffffffffffffffffffffffff', 'hex'),
  'a string that is cut off': Buffer.from('0a0541', 'hex'),
  'a string that is no UTF-8': Buffer.from('0a02c328', 'hex'),
  'field number 0': Buffer.from('0200', 'hex'),
  'an unknown wire type': Buffer.from('0f', 'hex'),
  'nesting 150 deep': groups(150),
  'nesting 100,000 deep': groups(100_000),
};

const { getEcho, watchEchoes, importEchoes, exchangeEchoes } = EchoService.method;

describe.each([getEcho, watchEchoes, importEchoes, exchangeEchoes])('a $methodKind call', (method) => {
  test.each(Object.entries(badBytes))(
    'a request of %s returns INTERNAL, is logged, and does not end the server',
    async (_name, bytes) => {
      using crashes = recordCrashes();
      await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
      await using connection = await connectRaw(server.target);
      const answer = await connection.post(methodPath(method), grpcFrame(bytes));
      expect(answer).toMatchObject({ httpStatus: 200, code: Code.INTERNAL });
      expect(server.logLines).toContainEqual(
        expect.objectContaining({
          msg: 'call',
          code: 'INTERNAL',
          error: `the request is not a valid ${method.input}`.replace('message ', ''),
        }),
      );
      for (const [, call] of callsOfEachKind) await call(server.client);
      expect(crashes.reasons).toEqual([]);
    },
  );
});

test('a stream of requests ends at the first message that cannot be decoded', async () => {
  const received: string[] = [];
  await using server = await startTestServer(EchoService, {
    async importEchoes(requests) {
      for await (const { echo } of requests) received.push(echo?.key ?? '');
      return {};
    },
  });
  await using connection = await connectRaw(server.target);
  const good = (key: string) =>
    grpcFrame(toBinary(ImportEchoesRequestSchema, create(ImportEchoesRequestSchema, { echo: { key } })));
  const body = Buffer.concat([good('A'), grpcFrame(Buffer.from('0a0541', 'hex')), good('B')]);
  expect(await connection.post(methodPath(importEchoes), body)).toMatchObject({ code: Code.INTERNAL });
  expect(received).toEqual(['A']);
});

test('unknown fields are accepted', async () => {
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  await using connection = await connectRaw(server.target);
  const known = toBinary(GetEchoRequestSchema, create(GetEchoRequestSchema, { key: 'A' }));
  const answer = await connection.post(methodPath(getEcho), grpcFrame(Buffer.concat([known, groups(90)])));
  expect(answer.code).toBe(Code.OK);
});

/** Reads a stream of requests to its end. The response is empty. */
async function readAll(requests: AsyncIterable<unknown> | object) {
  if (Symbol.asyncIterator in requests) await Array.fromAsync(requests);
  return [];
}
