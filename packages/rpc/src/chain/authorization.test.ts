import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { policyOf } from '../call/policy.ts';
import { Code } from '../errors/rpc-error.ts';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const empty = grpcFrame(Buffer.alloc(0));

test.each(EchoService.methods.map((method) => [method.name, method] as const))(
  '%s without the scope of the contract is rejected as PERMISSION_DENIED',
  async (_name, method) => {
    const others = EchoService.methods.flatMap((each) => policyOf(each).scopes);
    const scopes = new Set(others).difference(new Set(policyOf(method).scopes));
    await using server = await startTestServer(EchoService, {}, { principal: { subject: 'eve', scopes } });
    await using connection = await connectRaw(server.target);
    expect(await connection.post(methodPath(method), empty)).toMatchObject({ code: Code.PERMISSION_DENIED });
  },
);

test('the error names the missing scope', async () => {
  const principal = { subject: 'eve', scopes: new Set(['echo:write']) };
  await using server = await startTestServer(EchoService, {}, { principal });
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }));
  expect(error).toMatchObject({
    code: Code.PERMISSION_DENIED,
    message: 'the caller lacks the scope echo:read',
  });
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
    reason: 'SCOPE_MISSING',
    domain: 'auth',
    metadata: { scope: 'echo:read' },
  });
});
