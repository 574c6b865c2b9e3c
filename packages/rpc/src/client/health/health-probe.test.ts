import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createTestCertificates, type MutualTls } from '../../testing/certificates/test-certificates.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { collectLog } from '../../testing/telemetry/collect-log.ts';
import { channelCredentials } from '../../tls/channel-credentials.ts';
import { serverCredentials } from '../../tls/server-credentials.ts';

const program = fileURLToPath(new URL('./health-probe.ts', import.meta.url));

/** Runs the probe with this environment only, and returns its output and exit code. */
function probe(env: Readonly<Record<string, string>>, service?: string) {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...(service === undefined ? [] : [service])],
      { env },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

const serving = { code: 0, stdout: 'SERVING\n', stderr: '' };
const notServing = { code: 1, stdout: 'NOT_SERVING\n', stderr: '' };

test('the probe exits with 0 once the server is ready, and reports liveness before', async () => {
  await using server = await startTestServer(EchoService, {});
  const environment = { LISTEN_ADDRESS: `0.0.0.0:${server.running.port}` };
  expect(await probe(environment)).toEqual(notServing);
  expect(await probe(environment, EchoService.typeName)).toEqual(notServing);
  expect(await probe(environment, 'liveness')).toEqual(serving);
  server.running.setReady(true);
  expect(await probe(environment)).toEqual(serving);
  expect(await probe(environment, EchoService.typeName)).toEqual(serving);
});

test('a server with mTLS is probed with its own certificate', async () => {
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('echo');
  const options = { log: collectLog().log, developmentCertificates: false };
  await using server = await startTestServer(
    EchoService,
    {},
    {
      credentials: {
        server: await serverCredentials(tls, options),
        channel: await channelCredentials(tls, options),
      },
    },
  );
  server.running.setReady(true);
  const environment = { LISTEN_ADDRESS: `0.0.0.0:${server.running.port}` };
  expect(await probe({ ...environment, ...variablesOf(tls) })).toEqual(serving);
  expect(await probe(environment)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^14 UNAVAILABLE.*\n$/),
  });
});

test('a failed probe prints one line and exits with 1', async () => {
  const server = await startTestServer(EchoService, {});
  await server[Symbol.asyncDispose]();
  expect(await probe({ HEALTH_TARGET: server.target })).toEqual({
    code: 1,
    stdout: expect.stringMatching(/^14 UNAVAILABLE: [^\n]*ECONNREFUSED[^\n]*\n$/),
    stderr: '',
  });
  expect(await probe({ TLS_MODE: 'on' })).toEqual({
    code: 1,
    stdout:
      'HEALTH_TARGET is missing: expected a gRPC target: dns:///host:port, host:port, ipv4:1.2.3.4:port or ' +
      'unix:/path, unless LISTEN_ADDRESS is set; ' +
      'TLS_MODE is not valid: expected one of off, tls, mtls\n',
    stderr: '',
  });
});

test.each([
  [
    { LISTEN_ADDRESS: '127.0.0.1' },
    /^LISTEN_ADDRESS is not valid \(the port is missing\): expected host:port/,
  ],
  [{ LISTEN_ADDRESS: '0.0.0.0:0' }, /^LISTEN_ADDRESS is not valid \(port 0 cannot be called\)/],
  [
    { HEALTH_TARGET: 'http://localhost:1' },
    /^HEALTH_TARGET is not valid \(http: is not a scheme of gRPC targets\)/,
  ],
])(
  'an address that cannot be called is rejected with the name of its variable: %j',
  async (environment, line) => {
    expect(await probe(environment)).toEqual({ code: 1, stdout: expect.stringMatching(line), stderr: '' });
  },
);

function variablesOf({ mode, certFile, keyFile, caFile }: MutualTls) {
  return { TLS_MODE: mode, TLS_CERT: certFile, TLS_KEY: keyFile, TLS_CA: caFile };
}
