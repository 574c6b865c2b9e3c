import { SpanKind } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { createTestCertificates, testIdentity } from '../testing/certificates/test-certificates.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { inNewTrace } from '../testing/telemetry/in-new-trace.ts';
import { channelCredentials } from '../tls/channel-credentials.ts';
import { serverCredentials } from '../tls/server-credentials.ts';

const options = { log: collectLog().log, developmentCertificates: false };

test.each([
  ['caller', 'a trace', true],
  ['caller', 'a trace, and the token of a customer', true],
  ['payments', 'a trace, and the token of a customer', false],
])('a server with the peer caller gets from %s %s: continued %s', async (caller, sent, isContinued) => {
  await using telemetry = collectTelemetry();
  await using certificates = await createTestCertificates();
  const channel = await channelCredentials(await certificates.write(caller), options);
  await using server = await startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }) },
    {
      traceContext: 'peers',
      peers: new Map([[testIdentity('caller'), new Set(['echo:read'])]]),
      credentials: {
        server: await serverCredentials(await certificates.write('echo'), options),
        channel,
      },
      verifyToken: async () => ({ subject: 'anna', scopes: new Set(['echo:read']) }),
    },
  );
  using client = createClient(EchoService, {
    target: server.target,
    credentials: channel,
    ...(sent.includes('token') && { token: () => 'good' }),
  });
  const { caller: span, result } = inNewTrace(() => client.getEcho({ key: 'A' }));
  await result;
  const [served] = telemetry.spans.filter(({ kind }) => kind === SpanKind.SERVER);
  expect(served?.spanContext().traceId === span.traceId).toBe(isContinued);
  expect(served?.links).toHaveLength(isContinued ? 0 : 1);
});
