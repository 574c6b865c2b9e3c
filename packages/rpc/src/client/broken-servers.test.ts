import { deflateSync, gzipSync } from 'node:zlib';
import { credentials, Client as GrpcClient, type StatusObject } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { dataFrame, headersFrame, resetFrame, startFrameServer } from '../testing/network/raw-frames.ts';
import { grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { type RawResponse, respondRaw, startRawServer } from '../testing/replicas/start-raw-server.ts';
import { createClient } from './create-client.ts';

const empty = Buffer.of();
const html = Buffer.from('<html><body>Bad gateway: the page of a proxy</body></html>');
const ok = { 'grpc-status': '0' };
const kiB = 1024;

const startAnswering = (response: RawResponse) =>
  startRawServer((_headers, stream) => respondRaw(stream, response));

const frame = (content: Uint8Array, flag = 0) => {
  const framed = grpcFrame(content);
  framed[0] = flag;
  return framed;
};

type Broken = readonly [name: string, response: RawResponse, code: Code, text: RegExp];

/** Responses that break gRPC's protocol, and the error that says so. */
const broken: readonly Broken[] = [
  [
    'a page of HTML',
    { headers: { 'content-type': 'text/html' }, body: html },
    Code.UNKNOWN,
    /^the server's response is not gRPC: HTTP status 200, content-type "text\/html"$/,
  ],
  [
    'a page of HTML with HTTP status 502',
    { headers: { ':status': 502, 'content-type': 'text/html' }, body: html },
    Code.UNAVAILABLE,
    /^the server's response is not gRPC: HTTP status 502, content-type "text\/html"$/,
  ],
  [
    'messages with HTTP status 403',
    { headers: { ':status': 403 }, body: frame(empty) },
    Code.PERMISSION_DENIED,
    /HTTP status 403/,
  ],
  [
    'no content-type',
    { headers: { 'content-type': undefined }, body: html },
    Code.UNKNOWN,
    /no content-type/,
  ],
  [
    'messages of another codec',
    { headers: { 'content-type': 'application/grpc+json' }, body: frame(Buffer.from('{}')), trailers: ok },
    Code.INTERNAL,
    /content-type "application\/grpc\+json"/,
  ],
  [
    'a message that is cut in its content',
    { body: frame(Buffer.from('0000000')).subarray(0, 9), trailers: ok },
    Code.INTERNAL,
    /^the response ended within a message$/,
  ],
  [
    'a message that is cut in its header',
    { body: frame(empty).subarray(0, 3), trailers: ok },
    Code.INTERNAL,
    /^the response ended within a message$/,
  ],
  [
    'a cut message after a whole one',
    { body: Buffer.concat([frame(empty), frame(Buffer.from('0000000')).subarray(0, 9)]), trailers: ok },
    Code.INTERNAL,
    /^the response ended within a message$/,
  ],
  [
    'an unknown grpc-encoding',
    { headers: { 'grpc-encoding': 'zstd' }, body: frame(empty, 1), trailers: ok },
    Code.INTERNAL,
    /^the response is compressed with "zstd": the client supports gzip and deflate$/,
  ],
  [
    'a compressed message without a grpc-encoding',
    { body: frame(gzipSync(empty), 1), trailers: ok },
    Code.INTERNAL,
    /is compressed, and its headers name no grpc-encoding$/,
  ],
  [
    'a compressed message with the grpc-encoding identity',
    { headers: { 'grpc-encoding': 'identity' }, body: frame(empty, 1), trailers: ok },
    Code.INTERNAL,
    /is compressed, and its headers name no grpc-encoding$/,
  ],
  [
    'bytes that are not in the grpc-encoding',
    { headers: { 'grpc-encoding': 'gzip' }, body: frame(html, 1), trailers: ok },
    Code.INTERNAL,
    /^Failed to decompress gzip-encoded message$/,
  ],
  [
    'compressed bytes that are cut',
    {
      headers: { 'grpc-encoding': 'deflate' },
      body: frame(deflateSync(html).subarray(0, 20), 1),
      trailers: ok,
    },
    Code.INTERNAL,
    /^Failed to decompress deflate-encoded message$/,
  ],
  ['an unknown flag', { body: frame(empty, 0x80), trailers: ok }, Code.INTERNAL, /has the flag 128$/],
  ['bytes that are no message', { body: frame(html), trailers: ok }, Code.INTERNAL, /parsing error/],
  [
    'no grpc-status in its trailers',
    { body: frame(empty), trailers: { 'grpc-message': 'lost' } },
    Code.UNKNOWN,
    /^the response has no grpc-status$/,
  ],
  [
    'no trailers',
    { headers: { 'grpc-status': '9' }, body: frame(empty) },
    Code.INTERNAL,
    /^the response ended without a status$/,
  ],
  ...['fine', '', '-1', '0x0', '1e1'].map(
    (text): Broken => [
      `the grpc-status ${JSON.stringify(text)}`,
      { body: frame(empty), trailers: { 'grpc-status': text } },
      Code.UNKNOWN,
      /^the grpc-status of the response is not a number$/,
    ],
  ),
];

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test.each(broken)(
    'whose response has %s fails with a code and a text',
    async (_name, response, code, text) => {
      using crashes = recordCrashes();
      await using server = await startAnswering(response);
      using client = createClient(EchoService, { target: server.target });
      const error = await rejectionOf(call(client, { deadlineMs: 60_000 }));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(text);
      expect(crashes.reasons).toEqual([]);
    },
  );
});

const withOneResponse = callsOfEachKind.filter(([kind]) => kind === 'unary' || kind === 'client streaming');

describe.each(withOneResponse)('a %s call', (_kind, call) => {
  test('that ends OK without a response is UNIMPLEMENTED', async () => {
    await using server = await startAnswering({ trailers: ok });
    using client = createClient(EchoService, { target: server.target });
    expect((await rejectionOf(call(client))).code).toBe(Code.UNIMPLEMENTED);
  });

  test('with two responses is UNIMPLEMENTED', async () => {
    await using server = await startAnswering({
      body: Buffer.concat([frame(empty), frame(empty)]),
      trailers: ok,
    });
    using client = createClient(EchoService, { target: server.target });
    expect((await rejectionOf(call(client))).code).toBe(Code.UNIMPLEMENTED);
  });
});

test('a response is accepted with any content-type of gRPC for protobuf', async () => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8']) {
    await using server = await startAnswering({
      headers: { 'content-type': type, 'grpc-encoding': 'zstd' },
      body: frame(empty),
      trailers: ok,
    });
    using client = createClient(EchoService, { target: server.target });
    await client.getEcho({ key: 'A' });
  }
});

test('a page with HTTP status 503 is retried where the contract permits it', async () => {
  await using server = await startAnswering({
    headers: { ':status': 503, 'content-type': 'text/html' },
    body: html,
  });
  using client = createClient(EchoService, { target: server.target });
  await rejectionOf(client.getEcho({ key: 'A' }, { deadlineMs: 10_000 }));
  expect(server.attempts).toHaveLength(3);
});

/** Counts the responses that a reader gets before the error, and returns its code too. */
async function readSlowly(responses: AsyncIterable<unknown>) {
  let count = 0;
  try {
    for await (const _response of responses) {
      count++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { count };
  } catch (error) {
    return { count, code: (error as { code: Code }).code };
  }
}

const fifty = (response: Buffer) => Buffer.concat(Array<Buffer>(50).fill(response));
const aborted = { 'grpc-status': String(Code.ABORTED) };
const compressed = { headers: { 'grpc-encoding': 'gzip' }, body: fifty(frame(gzipSync(empty), 1)) };

describe('a stream that ends with an error', () => {
  test.each([
    ['as they are', { body: fifty(frame(empty)) }],
    ['compressed', compressed],
  ])('returns all responses before it, %s', async (_name, response) => {
    await using server = await startAnswering({ ...response, trailers: aborted });
    using client = createClient(EchoService, { target: server.target });
    const { ABORTED: code } = Code;
    expect(await readSlowly(client.watchEchoes({}))).toEqual({ count: 50, code });
    expect(await readSlowly(client.exchangeEchoes([]))).toEqual({ count: 50, code });
  });

  const large = Buffer.concat([Buffer.from([0x0a, 0xd0, 0x0f]), Buffer.alloc(2000, 'x')]);

  test.each([ok, aborted])(
    'and is reset after its trailers %o does not wait for its deadline',
    async (trailers) => {
      await using server = await startFrameServer(
        headersFrame({ ':status': '200', 'content-type': 'application/grpc' }),
        ...Array<Buffer>(50).fill(dataFrame(frame(large))),
        headersFrame(trailers, { isLast: true }),
        resetFrame,
      );
      using client = createClient(EchoService, { target: server.target });
      // Its requests have not ended, so that the stream is open when it is reset.
      const requests = (async function* () {
        yield { key: 'A' };
        await new Promise(() => {});
      })();
      const { code } = await readSlowly(client.exchangeEchoes(requests, { deadlineMs: 10_000 }));
      // Node has discarded responses, so the call is not OK.
      expect(code).toBe(trailers === ok ? Code.UNAVAILABLE : Code.ABORTED);
    },
  );

  test('can be left before its end', async () => {
    await using server = await startAnswering({ body: fifty(frame(empty)), trailers: aborted });
    using client = createClient(EchoService, { target: server.target });
    for (let repetition = 0; repetition < 3; repetition++)
      for await (const _response of client.watchEchoes({})) break;
    expect(await readSlowly(client.watchEchoes({}))).toEqual({ count: 50, code: Code.ABORTED });
  });

  test('loses responses in grpc-js by itself', async () => {
    await using server = await startAnswering({ ...compressed, trailers: aborted });
    const client = new GrpcClient(server.target, credentials.createInsecure());
    const asIs = (bytes: Buffer) => bytes;
    const call = client.makeServerStreamRequest('/a.B/C', asIs, asIs, empty);
    let count = 0;
    call.on('data', () => count++).on('error', () => {});
    const ended = await new Promise<StatusObject>((resolve) => call.once('status', resolve));
    client.close();
    expect(ended.code).toBe(Code.ABORTED);
    expect(count).toBeLessThan(50);
  });
});

test('a response over the limit names the limit and its option', async () => {
  await using server = await startAnswering({ body: frame(Buffer.alloc(5000 * kiB)), trailers: ok });
  using client = createClient(EchoService, { target: server.target });
  expect(await rejectionOf(client.getEcho({ key: 'A' }))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: 'a response of 5120000 bytes is over the limit of 4194304: see maxResponseBytes of createClient',
  });
});
