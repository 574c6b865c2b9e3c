import type { Span } from '../../api.ts';
import { methodName } from '../widgets/format.ts';

/** A span with its depth, from 0. */
export interface Node {
  readonly span: Span;
  readonly depth: number;
}

/** Returns the spans in the order of a waterfall: each below its parent, siblings by their start. */
export function inOrder(spans: readonly Span[]): readonly Node[] {
  const ids = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(spans, ({ parentId }) => (parentId && ids.has(parentId) ? parentId : null));
  const below = (parentId: string | null, depth: number): Node[] =>
    (children.get(parentId) ?? [])
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => [{ span, depth }, ...below(span.id, depth + 1)]);
  return below(null, 0);
}

/** Returns start and end of all spans, in Unix ms. */
export function extentOf(spans: readonly Span[]): { readonly startMs: number; readonly endMs: number } {
  return {
    startMs: Math.min(...spans.map(({ startMs }) => startMs)),
    endMs: Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs)),
  };
}

/** Whether the span is a statement of the database. */
export function isStatement({ attributes }: Span): boolean {
  return 'db.system.name' in attributes;
}

/** Returns the span's name: the method without its package. */
export function titleOf({ name }: Span): string {
  return methodName(name);
}
