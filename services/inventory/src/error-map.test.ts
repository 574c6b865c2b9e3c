import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { watchErrors } from '@acme/postgres/feed';
import { listedReasons, reasonsOf } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { toStatus } from './error-map.ts';
import { InventoryError, type InventoryProblem, type Refusal } from './stock/stock.ts';

const reservationId = '0198c0de-0000-7000-8000-000000000001';
const items = [{ sku: 'SAT-0001', description: '' }];

/** One problem of each kind, except for refusals. */
const problems: { readonly [Kind in Exclude<InventoryProblem['kind'], 'REFUSED'>]: InventoryProblem } = {
  SKU_NOT_FOUND: { kind: 'SKU_NOT_FOUND', sku: 'SAT-0001' },
  RESERVATION_RELEASED: { kind: 'RESERVATION_RELEASED', reservationId },
  RESERVATION_ID_REUSED: { kind: 'RESERVATION_ID_REUSED', reservationId },
  ON_HAND_BELOW_RESERVED: { kind: 'ON_HAND_BELOW_RESERVED', items },
  IMPORT_ID_REUSED: { kind: 'IMPORT_ID_REUSED', importId: reservationId, received: 1n },
  IMPORT_INCOMPLETE: { kind: 'IMPORT_INCOMPLETE', received: 1n, expected: 2n },
  BAD_REQUEST: { kind: 'BAD_REQUEST', violations: [{ field: 'lines', description: '' }] },
};

/** One refusal of each reason. */
const refusals: { readonly [Reason in Refusal['reason']]: Refusal } = {
  OUT_OF_STOCK: { reason: 'OUT_OF_STOCK', items },
  SKU_NOT_FOUND: { reason: 'SKU_NOT_FOUND', items },
};

test('the contract lists the error reasons of the error map and of watches, with their details', () => {
  const refused = Object.values(refusals).map((refusal): InventoryProblem => ({ kind: 'REFUSED', refusal }));
  const mapped = [...Object.values(problems), ...refused].flatMap(
    (problem) => toStatus(new InventoryError(problem)) ?? [],
  );
  expect(listedReasons(InventoryService)).toEqual(reasonsOf([...mapped, ...watchErrors('inventory.v1')]));
});
