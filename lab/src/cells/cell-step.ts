import type { Order, Rejection } from '@acme/orders/order/order';
import type { Step } from '@acme/orders/steps/step';

/**
 * Returns the step of one inventory cell: the stock step, asked for the lines of the cell's SKUs alone. An order without
 * such lines is DONE without a call.
 *
 * @param stock The step that `createStockStep` returns for a client of the cell.
 */
export function createCellStep(name: string, stock: Step, isInCell: (sku: string) => boolean): Step {
  const partOf = (order: Order): Order => ({
    ...order,
    lines: order.lines.filter(({ sku }) => isInCell(sku)),
  });
  return {
    name,
    do: async (order, options) => {
      const part = partOf(order);
      if (part.lines.length === 0) return { kind: 'DONE' };
      const outcome = await stock.do(part, options);
      return outcome.kind === 'REFUSED'
        ? { ...outcome, rejection: withItems(outcome.rejection, part) }
        : outcome;
    },
    undo: async (order) => {
      const part = partOf(order);
      if (part.lines.length === 0) return;
      // The stock step skips the undo of an order that it has refused itself. Another cell's refusal is no reason to.
      const isOwn = order.rejection?.items.some(({ sku }) => isInCell(sku)) ?? false;
      await stock.undo(isOwn ? part : { ...part, rejection: undefined });
    },
    circuitState: stock.circuitState,
  };
}

/** Names the cell's SKUs in a rejection that names none, so that it shows which cell has refused. */
function withItems(rejection: Rejection, { lines }: Order): Rejection {
  if (rejection.items.length > 0) return rejection;
  return { ...rejection, items: lines.map(({ sku }) => ({ sku, description: rejection.reason })) };
}
