import type { Step } from '@acme/orders/steps/step';
import { type Parts, soundParts } from './parts.ts';

/** A plausible bug of cells, which the invariants must catch. */
export interface PlantedBug {
  readonly name: string;
  readonly defect: string;
  /** Matches the violation. */
  readonly symptom: RegExp;
  readonly parts: Partial<Parts>;
}

const { createCellStep, openOrdersData, openStockData, undoAll } = soundParts;

/** Returns a cell step with changes. */
function cellStepWith(change: (step: Step, stock: Step) => Partial<Step>): Parts['createCellStep'] {
  return (name, stock, isInCell) => {
    const step = createCellStep(name, stock, isInCell);
    return { ...step, ...change(step, stock) };
  };
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'no-tombstone',
    defect: 'a release that arrives before its reserve leaves no tombstone',
    symptom: /is (CANCELLED|REJECTED) and holds/,
    parts: {
      openStockData: (onHand) => {
        const data = openStockData(onHand);
        return {
          ...data,
          release: (id) => {
            if (data.reservations.has(id)) return data.release(id);
            return { id, state: 'RELEASED', lines: [], refusal: undefined, createTime: new Date(0) };
          },
        };
      },
    },
  },
  {
    name: 'one-cell-undone',
    defect: 'an order is cancelled in the first cell of its lines only',
    symptom: /is (CANCELLED|REJECTED) and holds/,
    parts: { undoAll: (steps, order) => undoAll(steps.slice(0, 1), order) },
  },
  {
    name: 'undone-by-one',
    defect: 'an undo is recorded when one cell has confirmed it',
    symptom: /is (CANCELLED|REJECTED) and holds/,
    parts: { undoAll: (steps, order) => Promise.any(steps.map((step) => step.undo(order))) },
  },
  {
    name: 'unknown-is-refused',
    defect: 'a cell that does not answer has refused',
    symptom: /is REJECTED and holds/,
    parts: {
      createCellStep: cellStepWith((step) => ({
        do: async (order, options) => {
          const outcome = await step.do(order, options);
          if (outcome.kind !== 'UNKNOWN') return outcome;
          return { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: order.lines.map(itemOf) } };
        },
      })),
    },
  },
  {
    name: 'refusal-of-another-cell',
    defect: 'a cell skips the undo of an order that another cell has refused: the stock step as it is',
    symptom: /is REJECTED and holds/,
    parts: {
      createCellStep: (name, stock, isInCell) => ({
        ...createCellStep(name, stock, isInCell),
        undo: (order) => stock.undo(order),
      }),
    },
  },
  {
    name: 'no-undo-after-refusal',
    defect: 'a refusal is final, although cells before it have reserved',
    symptom: /is REJECTED and holds/,
    parts: {
      openOrdersData: (...args) => {
        const data = openOrdersData(...args);
        return {
          ...data,
          settle: (id, settlement) =>
            data.settle(
              id,
              settlement.state === 'REJECTED' ? { ...settlement, needsUndo: false } : settlement,
            ),
        };
      },
    },
  },
  {
    name: 'any-cell-of-orders',
    defect: 'a repeated request is sent to any cell of orders, each of which has its own request ids',
    symptom: /has several orders/,
    parts: { cellOf: (_customerId, cellCount, random) => random.int(0, cellCount - 1) },
  },
  {
    name: 'late-outcome',
    defect: 'an outcome is stored although the order was cancelled meanwhile',
    symptom: /is CONFIRMED and holds nothing|was answered CANCELLED and is/,
    parts: {
      openOrdersData: (...args) => {
        const data = openOrdersData(...args);
        return {
          ...data,
          settle: (id, settlement) => {
            const stored = data.orders.get(id);
            if (stored?.order.state === 'CANCELLED') stored.order = { ...stored.order, state: 'PENDING' };
            return data.settle(id, settlement);
          },
        };
      },
    },
  },
  {
    name: 'reserve-twice',
    defect: 'a repeated reserve takes the stock again',
    symptom: /reserved, \d+ in live reservations/,
    parts: {
      openStockData: (onHand) => {
        const data = openStockData(onHand);
        return {
          ...data,
          reserve: (command) => {
            const known = data.reservations.get(command.id);
            const reservation = data.reserve(command);
            if (known?.state === 'RESERVED')
              for (const { sku, quantity } of known.lines) {
                const item = data.stock.get(sku);
                if (item) item.reserved += quantity;
              }
            return reservation;
          },
        };
      },
    },
  },
];

function itemOf({ sku }: { readonly sku: string }) {
  return { sku, description: 'no answer' };
}
