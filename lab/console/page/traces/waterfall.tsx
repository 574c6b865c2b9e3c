import type { Span } from '../../api.ts';
import { milliseconds } from '../widgets/format.ts';
import { extentOf, inOrder, isStatement, type Node, titleOf } from './span-tree.ts';

export interface WaterfallProps {
  readonly spans: readonly Span[];
  readonly selected?: string | undefined;
  readonly onSelect?: (span: Span) => void;
  /** Text in place of a span's name. */
  readonly titles?: ReadonlyMap<string, string>;
}

interface Extent {
  readonly startMs: number;
  readonly lengthMs: number;
}

/** The spans of a trace as bars on one axis of time, each below its parent. */
export function Waterfall({ spans, selected, onSelect, titles }: WaterfallProps) {
  const { startMs, endMs } = extentOf(spans);
  const extent = { startMs, lengthMs: Math.max(endMs - startMs, 0.001) };
  return (
    <div class="waterfall">
      <Axis lengthMs={extent.lengthMs} />
      <ol>
        {inOrder(spans).map((node) => (
          <li key={node.span.id} class={node.span.id === selected ? 'selected' : ''}>
            <SpanRow node={node} extent={extent} title={titles?.get(node.span.id)} onSelect={onSelect} />
          </li>
        ))}
      </ol>
    </div>
  );
}

const marks = [0, 0.25, 0.5, 0.75, 1];

function Axis({ lengthMs }: { readonly lengthMs: number }) {
  return (
    <div class="axis" aria-hidden="true">
      {marks.map((share) => (
        <span key={share} style={{ left: `${share * 100}%` }}>
          {milliseconds(share * lengthMs)}
        </span>
      ))}
    </div>
  );
}

interface SpanRowProps {
  readonly node: Node;
  readonly extent: Extent;
  readonly title: string | undefined;
  readonly onSelect: ((span: Span) => void) | undefined;
}

function SpanRow({ node: { span, depth }, extent, title, onSelect }: SpanRowProps) {
  const content = (
    <>
      <span class="span-name" style={{ paddingLeft: `${depth * 14}px` }}>
        <span class={`service-name of-${span.service}`}>{span.service}</span> {title ?? titleOf(span)}
        {isStatement(span) && <span class="tag">SQL</span>}
        {span.links.length > 0 && <span class="tag">linked</span>}
        {span.isError && <span class="tag error">{span.code ?? 'error'}</span>}
      </span>
      <Bar span={span} extent={extent} />
      <span class="span-duration">{milliseconds(span.durationMs)}</span>
    </>
  );
  return onSelect ? (
    <button type="button" class="span-row" data-span={span.name} onClick={() => onSelect(span)}>
      {content}
    </button>
  ) : (
    <div class="span-row" data-span={span.name}>
      {content}
    </div>
  );
}

function Bar({ span, extent }: { readonly span: Span; readonly extent: Extent }) {
  const left = (span.startMs - extent.startMs) / extent.lengthMs;
  const width = span.durationMs / extent.lengthMs;
  const kind = isStatement(span) ? 'statement' : span.kind;
  return (
    <span class="bar-area">
      <span
        class={`span-bar of-${span.service} ${kind} ${span.isError ? 'failed' : ''}`}
        style={{ left: `${left * 100}%`, width: `${Math.max(width * 100, 0.15)}%` }}
      />
    </span>
  );
}
