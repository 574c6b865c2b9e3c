import { create, type Message } from '@bufbuild/protobuf';
import { AnySchema, anyPack } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { fromItemStatus, toItemStatus } from '../call/item-status.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { statusDetailsKey } from '../errors/status-details.ts';
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoSchema } from '../testing/gen/testing/v1/echo_pb.ts';
import { EchoService, GetEchoRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { toGrpcStatus } from './status.ts';

const reason = create(ErrorInfoSchema, { reason: 'SHORT', domain: 'test' });
const violations = (count: number) =>
  create(BadRequestSchema, {
    fieldViolations: Array.from({ length: count }, (_, index) => ({
      field: `lines[${index}].quantity`,
      description: 'must be greater than or equal to 1',
    })),
  });

/** Answers a call with the error while another call is open on the same connection. */
async function answerWith(error: RpcError) {
  using crashes = recordCrashes();
  const held = Promise.withResolvers<void>();
  await using server = await startTestServer(EchoService, {
    listEchoes: async () => {
      await held.promise;
      return { nextPageToken: 'survived' };
    },
    getEcho: async () => {
      throw error;
    },
  });
  const bystander = server.client.listEchoes({});
  const received = await rejectionOf(server.client.getEcho({ key: 'A' }));
  held.resolve();
  expect(await bystander).toMatchObject({ nextPageToken: 'survived' });
  expect(crashes.reasons).toEqual([]);
  return received;
}

test('the code, the message and the details arrive unchanged', async () => {
  const details = [reason, create(RetryInfoSchema, { retryDelay: { seconds: 2n } })];
  const received = await answerWith(
    new RpcError(Code.FAILED_PRECONDITION, 'zu wenig: Äpfel 🍏 100%', { details }),
  );
  expect(received).toMatchObject({ code: Code.FAILED_PRECONDITION, message: 'zu wenig: Äpfel 🍏 100%' });
  expect(received.findDetail(ErrorInfoSchema)).toEqual(reason);
  expect(received.findDetail(RetryInfoSchema)?.retryDelay?.seconds).toBe(2n);
  expect(received.calledMethod).toBe('testing.v1.EchoService/GetEcho');
});

test('a message with half a surrogate pair is sent and does not end the process', async () => {
  const received = await answerWith(new RpcError(Code.NOT_FOUND, 'no \ud83c'));
  expect(received).toMatchObject({ code: Code.NOT_FOUND, message: 'no \ufffd' });
});

test('a long message is truncated at a character boundary', async () => {
  const received = await answerWith(
    new RpcError(Code.NOT_FOUND, `${'x'.repeat(2047)}🍏${'x'.repeat(100_000)}`),
  );
  expect(received.message).toBe('x'.repeat(2047));
});

test('hundreds of violations are truncated to 4 kB, and a call on the same connection survives', async () => {
  const received = await answerWith(
    new RpcError(Code.INVALID_ARGUMENT, 'bad', { details: [violations(2000), reason] }),
  );
  const listed = received.findDetail(BadRequestSchema)?.fieldViolations ?? [];
  expect(listed.length).toBeGreaterThan(30);
  expect(listed[0]?.field).toBe('lines[0].quantity');
  expect(received.findDetail(ErrorInfoSchema)).toEqual(reason);
});

test('the least useful details are dropped first', async () => {
  const long = create(DebugInfoSchema, { detail: 'x'.repeat(4040) });
  const received = await answerWith(new RpcError(Code.NOT_FOUND, 'none', { details: [long, reason] }));
  expect(received.details).toEqual([reason]);
});

test('details of any content take at most 4 kB and their framing on the wire', () => {
  const sizeOf = (details: Message[]) => {
    const encoded = toGrpcStatus(new RpcError(Code.INVALID_ARGUMENT, 'bad', { details })).metadata.get(
      statusDetailsKey,
    );
    return encoded[0]?.length ?? 0;
  };
  const huge = create(ErrorInfoSchema, { metadata: { text: 'x'.repeat(100_000) } });
  const many = Array.from({ length: 500 }, () => reason);
  for (const details of [[violations(2000)], [huge], many, [huge, ...many, violations(500)]])
    expect(sizeOf(details)).toBeLessThan(5000);
});

const echo = create(EchoSchema, { key: 'A', text: 'hallo' });

test('details of any message type arrive, in a call and in an item of a batch', async () => {
  const error = new RpcError(Code.ABORTED, 'changed', { details: [anyPack(EchoSchema, echo), reason] });
  const item = fromItemStatus(toItemStatus(error), EchoService.method.getEcho);
  for (const received of [await answerWith(error), item]) {
    expect(received.findDetail(EchoSchema)).toEqual(echo);
    expect(received.findDetail(ErrorInfoSchema)).toEqual(reason);
    expect(received.details.map(({ $typeName }) => $typeName)).toEqual([
      'google.rpc.ErrorInfo',
      'google.protobuf.Any',
    ]);
  }
});

test('an error of another service can be forwarded with details whose types are not known', async () => {
  const unknown = create(AnySchema, {
    typeUrl: 'type.googleapis.com/shop.v1.Unknown',
    value: new Uint8Array([10]),
  });
  const below = await answerWith(new RpcError(Code.ABORTED, 'changed', { details: [unknown] }));
  const { details } = await answerWith(new RpcError(below.code, below.message, { details: below.details }));
  expect(details).toEqual([unknown]);
});

test('an Any is as limited as another detail, and comes after those of google.rpc', async () => {
  const large = anyPack(EchoSchema, create(EchoSchema, { text: 'x'.repeat(4090) }));
  const invalid = create(AnySchema, { typeUrl: 'type.googleapis.com/x', value: 1 as never });
  const info = anyPack(ErrorInfoSchema, reason);
  const details = [anyPack(EchoSchema, echo), large, invalid, undefined as never, info];
  const received = await answerWith(new RpcError(Code.NOT_FOUND, 'none', { details }));
  expect(received.details).toEqual([reason, anyPack(EchoSchema, echo)]);
});

test('a detail that cannot be packed is left out, and the error is still sent', async () => {
  const noDetail = create(GetEchoRequestSchema, { key: 'A' });
  const notEncodable = create(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 0.5 } });
  const debugInfo = create(DebugInfoSchema, { detail: 'rare, but google.rpc' });
  const details = [noDetail, notEncodable, reason, debugInfo];
  const received = await answerWith(new RpcError(Code.NOT_FOUND, 'none', { details }));
  expect(received).toMatchObject({ code: Code.NOT_FOUND, message: 'none', details: [reason, debugInfo] });
});

test.each([
  ['RetryInfo', [retryInfo(1500)], ['1500']],
  ['RetryInfo behind other details', [reason, retryInfo(0)], ['0']],
  ['a delay that does not fit in the header', [retryInfo(1e12)], ['2147483647']],
  ['no RetryInfo', [reason], []],
  ['RetryInfo without a delay', [create(RetryInfoSchema)], []],
  ['a negative delay, which would forbid to retry', [retryInfo(-1)], []],
])('%s is sent as the equivalent pushback', (_name, details, pushback) => {
  const { metadata } = toGrpcStatus(new RpcError(Code.UNAVAILABLE, 'later', { details }));
  expect(metadata.get('grpc-retry-pushback-ms')).toEqual(pushback);
});

test('a client waits for the delay of RetryInfo before it retries, instead of its own backoff', async () => {
  const attemptsMs: number[] = [];
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      attemptsMs.push(performance.now());
      if (attemptsMs.length === 1)
        throw new RpcError(Code.UNAVAILABLE, 'later', { details: [retryInfo(400)] });
      return { echo: { key: 'A' } };
    },
  });
  await server.client.getEcho({ key: 'A' }, { deadlineMs: 10_000 });
  const [first = 0, second = 0] = attemptsMs;
  // The client's own first backoff is 100 ms, plus or minus a fifth. Timers of Node may fire 1 ms early.
  expect(second - first).toBeGreaterThanOrEqual(399);
});
