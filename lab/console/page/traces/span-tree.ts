import type { Span } from '../../api.ts';
import { methodName } from '../widgets/format.ts';

/** A span with its depth, from 0. */
export interface Node {
  readonly span: Span;
  readonly depth: number;
}

/**
 * Returns the spans in the order of a waterfall: each below its parent, siblings by their start. Parents that form a circle have no
 * root: the earliest of them is the root.
 */
export function inOrder(spans: readonly Span[]): readonly Node[] {
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs);
  const ids = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(sorted, ({ parentId }) => parentId);
  const isRoot = ({ parentId }: Span) => parentId === null || !ids.has(parentId);
  const placed = new Set<Span>();
  const from = (span: Span, depth: number): Node[] => {
    if (placed.has(span)) return [];
    placed.add(span);
    const below = children.get(span.id) ?? [];
    return [{ span, depth }, ...below.flatMap((child) => from(child, depth + 1))];
  };
  return [...sorted.filter(isRoot), ...sorted].flatMap((span) => from(span, 0));
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
