import type { Span } from '../../api.ts';

/** The spans that the transactions of an order have, and what they do. See ARCHITECTURE.md. */
const phases: Readonly<Record<string, string>> = {
  'place-orders': 'T1: stores the order, PENDING',
  'reserve-stock': 'reserve: asks inventory',
  reserve: 'T2: reserves the stock',
  'settle-orders': 'T3: stores the outcome',
};

/** Returns the calls and the transactions, each below the next one that is kept. */
export function mainSpans(spans: readonly Span[]): readonly Span[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const isMain = (span: Span) => span.parentId === null || span.kind === 'server' || isPhase(span);
  const parentOf = ({ parentId }: Span) => (parentId === null ? undefined : byId.get(parentId));
  const keptParent = (span: Span): string | null => {
    // Parents may form a circle.
    const passed = new Set<Span>();
    let parent = parentOf(span);
    while (parent && !isMain(parent) && !passed.has(parent)) {
      passed.add(parent);
      parent = parentOf(parent);
    }
    return parent && isMain(parent) ? parent.id : null;
  };
  return spans.filter(isMain).map((span) => ({ ...span, parentId: keptParent(span) }));
}

/** Returns what the phases do, by the id of their span. */
export function titlesOf(spans: readonly Span[]): ReadonlyMap<string, string> {
  return new Map(spans.filter(isPhase).map(({ id, name }) => [id, phases[name] ?? name]));
}

/** Whether the span is a call's time in a transaction. The statement below it may have the same name. */
function isPhase({ name, kind }: Span): boolean {
  return kind === 'internal' && Object.hasOwn(phases, name);
}
