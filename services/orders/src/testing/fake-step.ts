import type { Order } from '../order/order.ts';
import type { Step } from '../steps/step.ts';

/** A step that is DONE by default. */
export interface FakeStep extends Step {
  /** Orders that the step was asked to do, with the deadline of each. */
  readonly done: { readonly order: Order; readonly deadlineMs: number }[];
  /** Ids of the orders that were undone. */
  readonly undone: string[];
}

export function createFakeStep(behaviour: Partial<Step> = {}): FakeStep {
  const done: FakeStep['done'][number][] = [];
  const undone: string[] = [];
  return {
    name: 'fake',
    circuitState: () => 'closed',
    ...behaviour,
    done,
    undone,
    do: async (order, options) => {
      done.push({ order, deadlineMs: options.deadlineMs });
      return (await behaviour.do?.(order, options)) ?? { kind: 'DONE' };
    },
    undo: async (order) => {
      undone.push(order.id);
      await behaviour.undo?.(order);
    },
  };
}
