import { create } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { createLogger } from './logger.ts';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) }));
  return lines;
}

test('credentials are not written, at the top level or one below', () => {
  const secrets = { authorization: 'canary', password: 'canary', token: 'canary' };
  const lines = linesOf((log) => log.info({ ...secrets, config: secrets }, 'started'));
  expect(lines).toMatchObject([{ msg: 'started', token: '[Redacted]', config: { password: '[Redacted]' } }]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('a line below the level is not written, and a line with a bigint is', () => {
  const lines = linesOf((log) => {
    log.debug('too little');
    log.info({ onHand: 5n }, 'counted');
  });
  expect(lines).toMatchObject([{ level: 'info', msg: 'counted' }]);
});

test('a message with a Timestamp, which JSON cannot represent, is written', () => {
  const lines = linesOf((log) =>
    log.info({ at: create(TimestampSchema, { seconds: 5n, nanos: 7 }) }, 'settled'),
  );
  expect(lines).toMatchObject([{ msg: 'settled', at: { seconds: 5, nanos: 7 } }]);
});

test('only lines within a span contain the ids of the span and its trace', async () => {
  await using telemetry = collectTelemetry();
  const lines = linesOf((log) => {
    trace.getTracer('test').startActiveSpan('work', (span) => {
      log.child({ order_id: '1' }).warn('within');
      span.end();
    });
    log.warn('without');
  });
  const { traceId, spanId } = telemetry.spans[0]?.spanContext() ?? {};
  expect(lines[0]).toMatchObject({ msg: 'within', trace_id: traceId, span_id: spanId });
  expect(lines[1]).not.toHaveProperty('trace_id');
});

test('secrets in the bindings of a child logger are redacted, too', () => {
  const lines = linesOf((log) => log.child({ token: 'canary' }).info('started'));
  expect(lines).toMatchObject([{ msg: 'started', token: '[Redacted]' }]);
});
