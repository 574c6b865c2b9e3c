import type { OrderState } from '../data/known-orders.ts';

/** The shape of each state, in a square of 10 units. The shapes differ, not the colours alone. */
export const stateShapes: Readonly<
  Record<OrderState, { readonly path: string; readonly isFilled: boolean }>
> = {
  confirmed: { path: 'M1 1H9V9H1Z', isFilled: true },
  pending: { path: 'M1.75 1.75H8.25V8.25H1.75Z', isFilled: false },
  rejected: { path: 'M1.5 1.5L8.5 8.5M8.5 1.5L1.5 8.5', isFilled: false },
  cancelled: { path: 'M1.5 5H8.5', isFilled: false },
};

/** A state as a shape and a word. */
export function StateMark({ state, text = state }: { readonly state: OrderState; readonly text?: string }) {
  const { path, isFilled } = stateShapes[state];
  return (
    <span class={`state state-${state}`}>
      <svg class={isFilled ? 'mark filled' : 'mark'} viewBox="0 0 10 10" aria-hidden="true">
        <path d={path} />
      </svg>
      {text}
    </span>
  );
}
