import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

test.each(EchoService.methods.map((method) => [method.name, method] as const))(
  '%s without a valid token is rejected as UNAUTHENTICATED before its request is decoded',
  async (_name, method) => {
    let verified = 0;
    await using server = await startTestServer(
      EchoService,
      {},
      {
        verifyToken: async () => {
          verified++;
          return { subject: '', scopes: new Set() };
        },
      },
    );
    await using connection = await connectRaw(server.target);
    const garbage = grpcFrame(Buffer.from('ffff', 'hex'));
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic dXNlcjpwYXNz',
      'token',
      'Bearer a b',
    ])
      expect(await connection.post(methodPath(method), garbage, { authorization })).toMatchObject({
        code: Code.UNAUTHENTICATED,
      });
    expect(verified).toBe(0);
  },
);

test('handlers of all kinds get the principal', async () => {
  const principal = { subject: 'anna', scopes: new Set(['echo:read', 'echo:write']) };
  const seen: unknown[] = [];
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind((_request: unknown, context: { principal: unknown }) => {
      seen.push(context.principal);
      return [];
    }),
    { principal },
  );
  for (const [, call] of callsOfEachKind) await call(server.client);
  expect(seen).toEqual(callsOfEachKind.map(() => principal));
});

test('a call returns INTERNAL if the verifier fails, and its handler is not called', async () => {
  let served = false;
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(() => {
      served = true;
    }),
    {
      verifyToken: async () => {
        throw new TypeError('canary');
      },
    },
  );
  for (const [, call] of callsOfEachKind)
    expect(await rejectionOf(call(server.client))).toMatchObject({
      code: Code.INTERNAL,
      message: 'internal error',
    });
  expect(served).toBe(false);
});
