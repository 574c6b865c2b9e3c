import { expect, test } from 'vitest';
import { rejectTokens } from '../auth/reject-tokens.ts';
import { methodPath } from '../call/method-name.ts';
import { createClient } from '../client/create-client.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { serve } from '../server/served-service.ts';
import { NoticeService } from '../testing/gen/testing/v1/notice_service_pb.ts';
import { PingService } from '../testing/gen/testing/v1/ping_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createAdmission } from './admission.ts';
import { serverChain } from './chain.ts';
import { createOpenStreams } from './open-streams.ts';

/** Serves NoticeService, whose responses name the caller. The token of `client` is valid for `tester`. */
function startNotices(options: Parameters<typeof startTestServer>[2] = {}) {
  return startTestServer(
    NoticeService,
    {
      getNotice: async (_request, { principal }) => principal,
      async *watchNotices(_request, { principal }) {
        yield principal;
      },
    },
    options,
  );
}

test('a caller without a token is served as the anonymous principal, on unary calls and streams', async () => {
  await using server = await startNotices();
  using anonymous = createClient(NoticeService, { target: server.target });
  expect(await anonymous.getNotice({})).toMatchObject({ subject: '' });
  expect(await Array.fromAsync(anonymous.watchNotices({}))).toMatchObject([{ subject: '' }]);
});

test('a caller with a token is authenticated by it', async () => {
  await using server = await startNotices();
  expect(await server.client.getNotice({})).toMatchObject({ subject: 'tester' });
});

test('an invalid token is rejected, and not served as anonymous', async () => {
  await using server = await startNotices({
    verifyToken: async () => {
      throw new RpcError(Code.UNAUTHENTICATED, 'invalid token');
    },
  });
  expect(await rejectionOf(server.client.getNotice({}))).toMatchObject({ code: Code.UNAUTHENTICATED });
  await using connection = await connectRaw(server.target);
  const path = methodPath(NoticeService.method.getNotice);
  for (const authorization of ['', 'Bearer', 'Basic dXNlcjpwYXNz', 'Bearer \x80'])
    expect(await connection.post(path, grpcFrame(Buffer.alloc(0)), { authorization })).toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
});

test('the methods of another service on the same server still need a token', async () => {
  await using server = await startNotices({
    otherServices: [serve(PingService, { ping: async () => ({}) })],
  });
  using anonymous = createClient(PingService, { target: server.target });
  expect(await rejectionOf(anonymous.ping({}))).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('anonymous callers have a quota for each connection', async () => {
  await using server = await startNotices();
  const path = methodPath(NoticeService.method.watchNotices);
  const callTwiceAndAgain = async () => {
    await using connection = await connectRaw(server.target);
    const codes: (number | undefined)[] = [];
    for (let call = 0; call < 3; call++) {
      const { code } = await connection.post(path, grpcFrame(Buffer.alloc(0)), { authorization: undefined });
      codes.push(code);
    }
    return codes;
  };
  const expected = [Code.OK, Code.OK, Code.RESOURCE_EXHAUSTED];
  expect(await callTwiceAndAgain()).toEqual(expected);
  expect(await callTwiceAndAgain()).toEqual(expected);
});

test('an anonymous call passes admission', async () => {
  const admission = createAdmission();
  let inFlight = 0;
  await using server = await startTestServer(
    NoticeService,
    {
      getNotice: async () => {
        inFlight = admission.snapshot().inFlight;
        return {};
      },
    },
    {
      modifyChain: () =>
        serverChain({
          errorMap: () => undefined,
          deadlineMode: 'default',
          openStreams: createOpenStreams(),
          tokens: rejectTokens,
          admission,
        }),
    },
  );
  using anonymous = createClient(NoticeService, { target: server.target });
  await anonymous.getNotice({});
  expect(inFlight).toBe(1);
});
