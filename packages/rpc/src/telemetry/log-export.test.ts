import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SeverityNumber } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { runNode } from '../testing/programs/run-node.ts';
import { type OtlpCollector, startOtlpCollector } from '../testing/telemetry/otlp-collector.ts';

/** Runs the program, and returns the lines of its log. */
async function runLogging(environment: Readonly<Record<string, string>>) {
  const { stdout, stderr } = await runNode('exported-log-program.ts', environment);
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

const exported = (collector: OtlpCollector) => ({ ...collector.environment, OTEL_LOGS_EXPORTER: 'otlp' });

test('every line on stdout is a log record with the same message, fields and ids', async () => {
  await using collector = await startOtlpCollector();
  const lines = await runLogging(exported(collector));
  expect(lines.length).toBeGreaterThan(10);
  expect(collector.logs).toHaveLength(lines.length);
  for (const [index, line] of lines.entries()) {
    const { level, time, service, pid, msg, trace_id, span_id, ...fields } = line;
    const { body, traceId, spanId, attributes } = collector.logs[index] ?? {};
    expect({ body, traceId, spanId, attributes }).toEqual({
      body: msg,
      traceId: trace_id,
      spanId: span_id,
      attributes: fields,
    });
  }
  const { traceId, spanId } = collector.spans[0] ?? {};
  expect(collector.logs.find(({ body }) => body === 'call')).toMatchObject({
    traceId,
    spanId,
    service: 'rpc',
  });
});

test('records have the level and the time of their line', async () => {
  await using collector = await startOtlpCollector();
  const lines = await runLogging(exported(collector));
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
  expect(collector.logs.slice(0, 9)).toMatchObject(
    [...levels, 'info', 'error', 'info'].map((level) => ({
      severityText: level,
      severityNumber: SeverityNumber[level.toUpperCase() as 'INFO'],
    })),
  );
  const [line] = lines;
  const differenceMs =
    Number((collector.logs[0]?.timeNs ?? 0n) / 1_000_000n) - Date.parse(String(line?.time));
  expect(Math.abs(differenceMs)).toBeLessThan(1000);
});

test('records are within the limits of the log, and without its secrets', async () => {
  await using collector = await startOtlpCollector();
  await runLogging(exported(collector));
  expect(collector.bodies.join()).not.toContain('canary');
  expect(collector.logs.find(({ body }) => body === 'failed')?.attributes).toMatchObject({
    order_id: '1',
    token: '[Redacted]',
    err: { type: 'Error', message: 'boom', cause: { message: 'Bearer [Redacted]' } },
  });
  expect(collector.logs.filter(({ body }) => body === 'storm')).toHaveLength(10);
  expect(collector.logs.find(({ body }) => body === 'fields')?.attributes).toMatchObject({
    page: [expect.stringMatching(/… \[2000 characters\]$/), null, { depth: 2 }],
  });
});

test.each<[string, Record<string, string>, boolean]>([
  ['only an endpoint of all signals', {}, false],
  ['an exporter of logs', { OTEL_LOGS_EXPORTER: 'otlp' }, true],
  ['the exporter `none`', { OTEL_LOGS_EXPORTER: 'none' }, false],
  ['a disabled SDK', { OTEL_LOGS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }, false],
])('with %s, whether lines are exported is as documented', async (_case, variables, isExported) => {
  await using collector = await startOtlpCollector();
  await runLogging({ ...collector.environment, ...variables });
  expect(collector.logs.length > 0).toBe(isExported);
});

test('a failed export is a line on stdout, which is not exported', async () => {
  const bodies: string[] = [];
  await using collector = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.writeHead(400).end();
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const lines = await runLogging({
    // An endpoint of logs needs no exporter.
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/logs`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BLRP_SCHEDULE_DELAY: '1',
    AWAITED_LINE: 'opentelemetry: ',
  });
  expect(lines.at(-1)).toMatchObject({ level: 'warn', msg: expect.stringContaining('opentelemetry: ') });
  expect(bodies).toHaveLength(1);
});
