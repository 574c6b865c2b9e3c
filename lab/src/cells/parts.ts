import { undoAll } from '@acme/orders/steps/step';
import type { Random } from '../harness/seeded-random.ts';
import { createCellStep } from './cell-step.ts';
import { openOrdersData } from './orders-data.ts';
import { openStockData } from './stock-data.ts';

/** The parts of the simulation that a planted bug replaces. */
export interface Parts {
  readonly openStockData: typeof openStockData;
  readonly openOrdersData: typeof openOrdersData;
  readonly createCellStep: typeof createCellStep;
  readonly undoAll: typeof undoAll;
  /** Returns the cell that an attempt at a request is sent to, of this many. */
  readonly cellOf: (customerId: string, cellCount: number, random: Random) => number;
}

export const soundParts: Parts = {
  openStockData,
  openOrdersData,
  createCellStep,
  undoAll,
  cellOf: (customerId, cellCount) => Number(customerId.split('-')[1]) % cellCount,
};
