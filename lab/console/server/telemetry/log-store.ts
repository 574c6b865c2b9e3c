import type { LogLine } from '../../api.ts';
import {
  fieldsOf,
  idOf,
  msOf,
  type OtlpLogRecord,
  type OtlpLogs,
  shortened,
  sourceOf,
  textOf,
} from './otlp-json.ts';

/** The last log lines of the services: 20,000, and 8 MiB of their text. */
export interface LogStore {
  add(logs: OtlpLogs): void;
  /** Returns the lines of a trace, in the order of their time. */
  linesOf(traceId: string): readonly LogLine[];
}

interface KeptLine {
  readonly traceId: string;
  readonly line: LogLine;
  /** Size of the text, which is about that of the memory. */
  readonly size: number;
}

const maxLines = 20_000;
const maxSize = 8 * 1024 * 1024;

export function createLogStore(): LogStore {
  let kept: KeptLine[] = [];
  let size = 0;
  return {
    add: ({ resourceLogs = [] }) => {
      for (const resource of resourceLogs) {
        const { service } = sourceOf(resource);
        for (const { logRecords = [] } of resource.scopeLogs ?? [])
          for (const record of logRecords) {
            const line = lineOf(service, record);
            const traceId = idOf(record.traceId, 32) ?? '';
            const one = { traceId, line, size: traceId.length + JSON.stringify(line).length };
            kept.push(one);
            size += one.size;
          }
      }
      let surplus = 0;
      while (kept.length - surplus > maxLines || size > maxSize) size -= kept[surplus++]?.size ?? 0;
      if (surplus > 0) kept = kept.slice(surplus);
    },
    linesOf: (traceId) =>
      kept
        .filter((each) => each.traceId === traceId)
        .map(({ line }) => line)
        .sort((a, b) => a.atMs - b.atMs),
  };
}

function lineOf(service: string, record: OtlpLogRecord): LogLine {
  return {
    atMs: msOf(record.timeUnixNano ?? record.observedTimeUnixNano ?? '0'),
    service,
    level: (shortened(record.severityText) || 'info').toLowerCase(),
    message: textOf(record.body),
    fields: fieldsOf(record.attributes),
    spanId: idOf(record.spanId, 16) ?? null,
  };
}
