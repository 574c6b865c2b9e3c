import { connect, type IncomingHttpHeaders } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { fromItemStatus, toItemStatus } from '../call/item-status.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { boundedMessage } from '../errors/status-details.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

/** Header list that Java clients and common proxies accept; C-core clients accept twice as much. */
const commonLimitBytes = 8 * 1024;

/** Details that fill the available space, and one that the caller needs most. */
const details = [
  create(BadRequestSchema, {
    fieldViolations: Array.from({ length: 2000 }, (_, index) => ({
      field: `items[${index}].text`,
      description: 'must not be empty: 値',
    })),
  }),
  create(ErrorInfoSchema, { reason: 'SHORT', domain: 'test' }),
  create(RetryInfoSchema, { retryDelay: { seconds: 2n } }),
];

const messages: readonly (readonly [string, string])[] = [
  ['no text', ''],
  ['ASCII text', 'x'.repeat(100_000)],
  ['CJK text', '値'.repeat(1024)],
  ['emoji', '🍏'.repeat(1024)],
  ['percent signs', '%'.repeat(100_000)],
  ['control characters', '\u0000\n'.repeat(1024)],
  ['quotes and spaces', '" \\'.repeat(1024)],
  ['lone surrogates', '\ud83c'.repeat(1024)],
];

async function startFailing(error: RpcError) {
  return startTestServer(EchoService, {
    getEcho: async () => {
      throw error;
    },
  });
}

/** Returns the size of the largest header list in the answer to GetEcho, as HTTP/2 counts it. */
async function largestHeaderList(target: string): Promise<number> {
  const session = connect(`http://${target}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/testing.v1.EchoService/GetEcho',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: 'Bearer test-token',
    'x-request-id': 'x'.repeat(128),
  });
  let largestBytes = 0;
  const measure = (headers: IncomingHttpHeaders) => {
    const sizes = Object.entries(headers).map(([name, value]) => name.length + String(value).length + 32);
    largestBytes = Math.max(
      largestBytes,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  };
  stream.on('response', measure);
  stream.on('trailers', measure);
  stream.resume();
  stream.end(Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x41]));
  await new Promise((resolve, reject) => stream.once('error', reject).once('close', resolve));
  session.close();
  return largestBytes;
}

test.each(messages)('a status of %s with details fits into 8 KiB of headers', async (_name, message) => {
  await using server = await startFailing(new RpcError(Code.INVALID_ARGUMENT, message, { details }));
  const largestBytes = await largestHeaderList(server.target);
  expect(largestBytes).toBeLessThanOrEqual(commonLimitBytes);
  expect(largestBytes).toBeGreaterThan(commonLimitBytes / 4);
});

test.each(messages)(
  'a caller receives the beginning of %s, and the first details',
  async (_name, message) => {
    await using server = await startFailing(new RpcError(Code.INVALID_ARGUMENT, message, { details }));
    const received = await rejectionOf(server.client.getEcho({ key: 'A' }));
    const whole = message.toWellFormed();
    expect(received.message).toBe(whole.slice(0, received.message.length));
    expect(received.message.length).toBeGreaterThanOrEqual(Math.min(message.length, 200));
    expect(received.findDetail(ErrorInfoSchema)?.reason).toBe('SHORT');
    expect(received.findDetail(BadRequestSchema)?.fieldViolations[0]?.field).toBe('items[0].text');
  },
);

test('a message of up to 2 KiB after percent-encoding is sent in full', () => {
  for (const text of ['x'.repeat(2048), '値'.repeat(227), '🍏'.repeat(170), ' '.repeat(682)])
    expect(boundedMessage(text)).toBe(text);
});

test('a message is never truncated within a character', () => {
  for (let before = 2030; before <= 2048; before++) {
    const cut = boundedMessage(`${'x'.repeat(before)}🍏🍏`);
    expect(cut).toMatch(/^x+(🍏)?$/u);
    expect(encodeURI(cut).length).toBeLessThanOrEqual(2048);
  }
});

test.each(messages)("an item status of %s has the limits of a call's status", (_name, message) => {
  const status = toItemStatus(new RpcError(Code.NOT_FOUND, message, { details }));
  expect(status.message).toBe(boundedMessage(message));
  const sizeBytes = status.details.reduce(
    (sum, { typeUrl, value }) => sum + typeUrl.length + value.length,
    0,
  );
  expect(sizeBytes).toBeLessThanOrEqual(4096);
  const received = fromItemStatus(status, EchoService.method.getEcho);
  expect(received.findDetail(ErrorInfoSchema)?.reason).toBe('SHORT');
});
