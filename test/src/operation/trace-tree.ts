import type { ReceivedSpan } from '@acme/rpc/testing';
import { SpanKind } from '@opentelemetry/api';

/**
 * Formats the spans of a trace as a tree, one line per span, children in the order of their start. Contains no ids or times,
 * so that the text is the same for every run.
 */
export function traceTree(spans: readonly ReceivedSpan[], traceId: string): string {
  const ofTrace = spans.filter((span) => span.traceId === traceId);
  const ids = new Set(ofTrace.map(({ spanId }) => spanId));
  const isRoot = ({ parentSpanId }: ReceivedSpan) => parentSpanId === undefined || !ids.has(parentSpanId);
  const linesOf = (span: ReceivedSpan, depth: number): string[] => [
    lineOf(span, depth),
    ...inOrder(ofTrace.filter(({ parentSpanId }) => parentSpanId === span.spanId)).flatMap((child) =>
      linesOf(child, depth + 1),
    ),
  ];
  return inOrder(ofTrace.filter(isRoot))
    .flatMap((root) => linesOf(root, 0))
    .join('\n');
}

/** Sorts spans by start. */
function inOrder(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.toSorted((a, b) => Number(a.startNs - b.startNs));
}

function lineOf(span: ReceivedSpan, depth: number): string {
  const { attributes } = span;
  const kind = { [SpanKind.SERVER]: 'SERVER ', [SpanKind.CLIENT]: 'CLIENT ' }[span.kind as number] ?? '';
  const attempts = attributes['previous-rpc-attempts'];
  const size = attributes['batch.size'];
  const facts = [
    attributes['rpc.status_code'] ?? attributes['db.operation.name'],
    span.isError && `error ${attributes['error.type']}`,
    attempts && `previous attempts: ${attempts}`,
    size && `batch of ${size}`,
    span.links.length > 0 && `links: ${span.links.length}`,
  ].filter(Boolean);
  const text = `${'  '.repeat(depth)}${kind}${span.name}`;
  return `${String(span.service).padEnd(10)} ${text}${facts.length > 0 ? `  (${facts.join(', ')})` : ''}`;
}
