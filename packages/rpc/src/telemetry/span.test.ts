import { DiagLogLevel, diag, SpanStatusCode, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { annotateSpan, inSpan } from './span.ts';

test('work that outlives its call neither changes the span nor logs a warning', async () => {
  await using telemetry = collectTelemetry();
  const warnings: unknown[] = [];
  const warn = (...args: unknown[]) => warnings.push(args);
  const quiet = () => {};
  diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  trace.getTracer('test').startActiveSpan('call', (span) => {
    annotateSpan({ 'order.id': '1' });
    span.end();
    annotateSpan({ 'order.state': 'CONFIRMED' });
  });
  diag.disable();
  expect(telemetry.spans[0]?.attributes).toEqual({ 'order.id': '1' });
  expect(warnings).toEqual([]);
});

test.each<[string, unknown, string]>([
  ['the code of a status', new RpcError(Code.OUT_OF_RANGE, 'too far'), 'OUT_OF_RANGE'],
  ['the name of an error', new TypeError('wrong'), 'TypeError'],
  ['the type of another thrown value', 'thrown', 'string'],
])('a failed span has %s', async (_case, thrown, type) => {
  await using telemetry = collectTelemetry();
  const failing = inSpan('work', { 'job.id': 1 }, async () => {
    throw thrown;
  });
  await expect(failing).rejects.toBe(thrown);
  expect(telemetry.spans).toMatchObject([
    { attributes: { 'job.id': 1, 'error.type': type }, status: { code: SpanStatusCode.ERROR }, ended: true },
  ]);
});
