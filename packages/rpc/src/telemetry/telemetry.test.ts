import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { diag } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { runNode } from '../testing/programs/run-node.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { startOtlpCollector } from '../testing/telemetry/otlp-collector.ts';
import { logTelemetry } from './telemetry.ts';

const preload = ['--import', import.meta.resolve('./register.ts')];

/** A program that does not start telemetry itself, and only flushes it at the end, like `runUntilSignal`. */
function runTraced(environment: Record<string, string>) {
  return runNode('traced-program.ts', environment, preload);
}

test.each<[string, Record<string, string>]>([
  ['nothing is configured', {}],
  ['it is disabled', { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' }],
  [
    'no signal has an exporter',
    { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
  ],
  ['only the instrumentation is enabled', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc' }],
])('the SDK is not loaded when %s', async (_case, variables) => {
  await using collector = await startOtlpCollector();
  const { OTEL_EXPORTER_OTLP_PROTOCOL: protocol = '' } = collector.environment;
  const { stdout } = await runTraced({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol, ...variables });
  expect(JSON.parse(stdout)).toEqual({ isSdkLoaded: false });
});

test('traces and metrics reach the collector before the process ends, under the name of the package', async () => {
  await using collector = await startOtlpCollector();
  const { stdout } = await runTraced(collector.environment);
  expect(JSON.parse(stdout)).toEqual({ isSdkLoaded: true });
  expect(collector.spans).toMatchObject([{ name: 'work', service: 'rpc' }]);
  expect(collector.metrics).toContain('work.done');
  // Metrics of the process, which show saturation.
  expect(collector.metrics).toContain('nodejs.eventloop.utilization');
});

test.each<[string, Record<string, string>]>([
  ['OTEL_SERVICE_NAME', { OTEL_SERVICE_NAME: 'checkout' }],
  ['OTEL_RESOURCE_ATTRIBUTES', { OTEL_RESOURCE_ATTRIBUTES: 'region=eu, service.name=checkout' }],
])("the service's name is that of %s if it is set", async (_variable, variables) => {
  await using collector = await startOtlpCollector();
  await runTraced({ ...collector.environment, ...variables });
  expect(collector.spans).toMatchObject([{ service: 'checkout' }]);
});

test.each<[string, Record<string, string>, number, number]>([
  ['traces', { OTEL_METRICS_EXPORTER: 'none' }, 1, 0],
  ['metrics', { OTEL_TRACES_EXPORTER: 'none' }, 0, 1],
])('%s can be exported alone', async (_signal, variables, spans, metrics) => {
  await using collector = await startOtlpCollector();
  await runTraced({ ...collector.environment, ...variables });
  expect(collector.spans).toHaveLength(spans);
  expect(collector.metrics.filter((name) => name === 'work.done')).toHaveLength(metrics);
});

test.each(['traces', 'metrics'])('only %s is exported when nothing else is configured', async (signal) => {
  await using collector = await startOtlpCollector();
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: protocol = '' } =
    collector.environment;
  const { stderr } = await runTraced({
    [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`]: `${endpoint}/v1/${signal}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  });
  expect(collector.spans).toHaveLength(signal === 'traces' ? 1 : 0);
  expect(collector.metrics.length > 0).toBe(signal === 'metrics');
  // By default the SDK would try to reach a collector on localhost, and print errors.
  expect(stderr).toBe('');
});

test('a collector that never answers does not prevent the process from exiting', async () => {
  await using blackHole = createServer((socket) => socket.resume());
  await once(blackHole.listen(0, '127.0.0.1'), 'listening');
  const { stdout, stderr } = await runTraced({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(blackHole.address() as AddressInfo).port}`,
    // Longer than the test.
    OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
    OTEL_BSP_EXPORT_TIMEOUT: '3600000',
    FLUSH_TIMEOUT_MS: '100',
  });
  expect(JSON.parse(stdout)).toEqual({ isSdkLoaded: true });
  expect(stderr).toContain('no answer within 100 ms');
});

test('an unknown exporter is reported', async () => {
  const { stderr } = await runTraced({ OTEL_TRACES_EXPORTER: 'carrier-pigeon' });
  expect(stderr).toContain('carrier-pigeon');
});

test("the SDK's errors are in the log by text, type and code", () => {
  const { log, lines } = collectLog();
  logTelemetry(log);
  diag.error('Metric export failed (canary)', Object.assign(new Error('canary'), { code: 'ECONNREFUSED' }));
  diag.warn(JSON.stringify({ name: 'OTLPExporterError', message: 'canary', data: 'canary', code: 404 }));
  diag.info('canary');
  diag.disable();
  expect(lines).toMatchObject([
    { level: 'warn', type: 'Error', code: 'ECONNREFUSED', msg: 'opentelemetry: Metric export failed' },
    { type: 'OTLPExporterError', code: 404, msg: 'opentelemetry: message withheld' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});
