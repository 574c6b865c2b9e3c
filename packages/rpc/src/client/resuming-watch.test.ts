import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer, type TestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';
import { type ResumingWatchOptions, resumingWatch } from './resuming-watch.ts';

/** The server's part of one watch: it sends the tokens, and then ends it with the error or sends nothing more. */
interface Script {
  readonly tokens: readonly string[];
  readonly error?: RpcError;
}

/** A server that plays one script for each watch, repeats the last one, and records the resume tokens of the requests. */
async function startScripted(...scripts: Script[]) {
  const resumedFrom: string[] = [];
  const server = await startTestServer(EchoService, {
    async *watchEchoes({ resumeToken }, { signal }) {
      const script = scripts[Math.min(resumedFrom.length, scripts.length - 1)];
      resumedFrom.push(resumeToken);
      for (const token of script?.tokens ?? []) yield { resumeToken: token };
      if (script?.error) throw script.error;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  return { ...server, resumedFrom };
}

function watch(server: TestServer<typeof EchoService>, options: ResumingWatchOptions = {}, resumeToken = '') {
  return resumingWatch(server.client.watchEchoes, { resumeToken }, { random: () => 0, ...options });
}

async function take(responses: AsyncGenerator<{ resumeToken: string }>, count: number) {
  const tokens: string[] = [];
  for await (const { resumeToken } of responses) if (tokens.push(resumeToken) === count) break;
  return tokens;
}

const ended = (code: Code) => new RpcError(code, 'the stream is over');

describe('a watch resumes', () => {
  for (const code of [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED, Code.CANCELLED])
    test(`after ${Code[code]}, from the last response, without an error`, async () => {
      const interruptions: unknown[] = [];
      await using server = await startScripted({ tokens: ['a', 'b'], error: ended(code) }, { tokens: ['c'] });
      const responses = watch(server, { onInterrupted: (error) => interruptions.push(error) }, 'before');
      expect(await take(responses, 3)).toEqual(['a', 'b', 'c']);
      expect(server.resumedFrom).toEqual(['before', 'b']);
      expect(interruptions).toMatchObject([{ code }]);
    });

  test('when the server sends no heartbeat', async () => {
    await using server = await startScripted({ tokens: ['a'] }, { tokens: ['b'] });
    expect(await take(watch(server, { maxSilenceMs: 300 }), 2)).toEqual(['a', 'b']);
    expect(server.resumedFrom).toEqual(['', 'a']);
  });

  test('when its stream is closed without a status', async () => {
    let watches = 0;
    const server = createServer().on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      const isFirst = watches++ === 0;
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          ...(!isFirst && { 'grpc-status': Code.OUT_OF_RANGE }),
        },
        { endStream: !isFirst },
      );
      if (isFirst) stream.close();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using _closed = server;
    const { port } = server.address() as AddressInfo;
    using client = createClient(EchoService, { target: `127.0.0.1:${port}` });
    const interruptions: unknown[] = [];
    const responses = resumingWatch(
      client.watchEchoes,
      {},
      { random: () => 0, onInterrupted: (error) => interruptions.push(error) },
    );
    expect((await rejectionOf(responses.next())).code).toBe(Code.OUT_OF_RANGE);
    // None if grpc-js has retried the call by itself, before the headers were read.
    for (const interruption of interruptions) expect(interruption).toMatchObject({ code: Code.INTERNAL });
  });

  test('not before the retry delay of the server', async () => {
    const later = new RpcError(Code.RESOURCE_EXHAUSTED, 'busy', { details: [retryInfo(200)] });
    await using server = await startScripted({ tokens: ['a'], error: later }, { tokens: ['b'] });
    const responses = watch(server);
    await responses.next();
    const startMs = performance.now();
    await responses.next();
    // A timer may fire a little early.
    expect(performance.now() - startMs).toBeGreaterThan(190);
    await responses.return();
  });
});

test('a watch with a retry delay beyond the timers of Node waits, and does not resume at once', async () => {
  const error = new RpcError(Code.RESOURCE_EXHAUSTED, 'busy', { details: [retryInfo(1e13)] });
  const stop = new AbortController();
  const interrupted = Promise.withResolvers<unknown>();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  await using server = await startScripted({ tokens: [], error });
  const first = watch(server, { signal: stop.signal, onInterrupted: interrupted.resolve }).next();
  await interrupted.promise;
  await new Promise(setImmediate);
  stop.abort();
  expect(await rejectionOf(first)).toMatchObject({ code: Code.CANCELLED });
  expect(warnings).toEqual([]);
});

describe('a watch restarts', () => {
  test('after OUT_OF_RANGE, without a token, and calls onRestart once it stands', async () => {
    await using server = await startScripted(
      { tokens: ['a'], error: ended(Code.OUT_OF_RANGE) },
      { tokens: [], error: ended(Code.UNAVAILABLE) },
      { tokens: ['b', 'c'] },
    );
    const seen: string[] = [];
    const onRestart = ({ code }: RpcError) => seen.push(`restart after ${Code[code]}`);
    const responses = watch(server, { onRestart }, 'before');
    for (let response = 0; response < 3; response++)
      seen.push((await responses.next()).value?.resumeToken ?? '');
    expect(seen).toEqual(['a', 'restart after OUT_OF_RANGE', 'b', 'c']);
    expect(server.resumedFrom).toEqual(['before', '', '']);
    await responses.return();
  });

  test('not if the watch that is OUT_OF_RANGE had no token', async () => {
    await using server = await startScripted({ tokens: [], error: ended(Code.OUT_OF_RANGE) });
    const responses = watch(server, { onRestart: () => expect.unreachable() });
    expect((await rejectionOf(responses.next())).code).toBe(Code.OUT_OF_RANGE);
    expect(server.resumedFrom).toHaveLength(1);
  });
});

describe('a watch ends', () => {
  for (const code of [Code.OUT_OF_RANGE, Code.PERMISSION_DENIED, Code.INVALID_ARGUMENT, Code.INTERNAL])
    test(`with ${Code[code]}`, async () => {
      await using server = await startScripted({ tokens: ['a'], error: ended(code) });
      const responses = watch(server);
      await responses.next();
      expect(await rejectionOf(responses.next())).toMatchObject({ code, message: 'the stream is over' });
      expect(server.resumedFrom).toHaveLength(1);
    });

  test('with RESOURCE_EXHAUSTED that comes again before a further response', async () => {
    const error = ended(Code.RESOURCE_EXHAUSTED);
    // The heartbeat of the second watch does not advance it.
    await using server = await startScripted({ tokens: ['a'], error }, { tokens: ['a'], error });
    const responses = watch(server);
    expect((await responses.next()).value).toMatchObject({ resumeToken: 'a' });
    expect((await responses.next()).value).toMatchObject({ resumeToken: 'a' });
    expect(await rejectionOf(responses.next())).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect(server.resumedFrom).toEqual(['', 'a']);
  });

  test('with RESOURCE_EXHAUSTED and a negative retry delay, which means "do not retry"', async () => {
    const error = new RpcError(Code.RESOURCE_EXHAUSTED, 'busy', { details: [retryInfo(-1)] });
    await using server = await startScripted({ tokens: [], error });
    expect(await rejectionOf(watch(server).next())).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });

  test("with a response over the client's limit", async () => {
    const large = 'x'.repeat(2000);
    await using server = await startScripted({ tokens: ['a', large] }, { tokens: [large] });
    using client = createClient(EchoService, {
      target: server.target,
      token: () => 'test-token',
      maxResponseBytes: 1000,
    });
    const responses = resumingWatch(client.watchEchoes, {}, { random: () => 0 });
    await responses.next();
    const error = await rejectionOf(responses.next());
    expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(error.message).toContain('maxResponseBytes');
    expect(server.resumedFrom).toEqual(['', 'a']);
  });

  test('when its client is disposed', async () => {
    await using server = await startScripted({ tokens: ['a'], error: ended(Code.UNAVAILABLE) });
    const client = createClient(EchoService, { target: server.target, token: () => 'test-token' });
    const responses = resumingWatch(client.watchEchoes, {}, { random: () => 0 });
    await responses.next();
    client[Symbol.dispose]();
    expect((await rejectionOf(responses.next())).code).toBe(Code.FAILED_PRECONDITION);
  });

  test('with CANCELLED when its signal is aborted, also between two calls', async () => {
    await using server = await startScripted({ tokens: [], error: ended(Code.UNAVAILABLE) });
    const stop = new AbortController();
    const responses = watch(server, {
      signal: stop.signal,
      random: () => 1,
      onInterrupted: () => stop.abort(),
    });
    expect((await rejectionOf(responses.next())).code).toBe(Code.CANCELLED);
  });
});
