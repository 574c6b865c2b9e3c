import { type Attributes, context, createContextKey, logs, SeverityNumber } from '@opentelemetry/api';
import { instrumentationScope } from './call-telemetry.ts';

/** Severities by pino's level. */
const severities: Readonly<Record<number, { severityText: string; severityNumber: SeverityNumber }>> = {
  10: { severityText: 'trace', severityNumber: SeverityNumber.TRACE },
  20: { severityText: 'debug', severityNumber: SeverityNumber.DEBUG },
  30: { severityText: 'info', severityNumber: SeverityNumber.INFO },
  40: { severityText: 'warn', severityNumber: SeverityNumber.WARN },
  50: { severityText: 'error', severityNumber: SeverityNumber.ERROR },
  60: { severityText: 'fatal', severityNumber: SeverityNumber.FATAL },
};

const notExported = createContextKey('log lines that are not exported');

/** Exports a JSON line of the log of pino's level as a log record of the active span. Never throws. */
export type ExportLine = (line: string, level: number) => void;

/**
 * Returns the export of log lines, or undefined if the SDK exports no logs. A line is exported as it is written to stdout,
 * within the limits and without secrets. The SDK queues records, and drops those beyond `OTEL_BLRP_MAX_QUEUE_SIZE`.
 */
export function createLogExport(): ExportLine | undefined {
  const logger = logs.getLogger(instrumentationScope);
  if (!logger.enabled()) return undefined;
  return (line, level) => {
    const active = context.active();
    if (active.getValue(notExported)) return;
    try {
      // The resource has the service and the process, and the context has the span. A field can replace `level` or `time`.
      const {
        level: _level,
        time: _time,
        service: _service,
        pid: _pid,
        trace_id: _traceId,
        span_id: _spanId,
        msg: body,
        ...attributes
      } = JSON.parse(line);
      logger.emit({ context: active, ...severities[level], body, attributes: attributes as Attributes });
    } catch {
      // The line is on stdout. A log call must not fail.
    }
  };
}

/** Runs the body, which logs a failed export. Its lines are not exported: each would cause the next failure. */
export function withoutLogExport(body: () => void): void {
  context.with(context.active().setValue(notExported, true), body);
}
