// <resource>
import { FrontDeskService } from '@acme/gen/depot/v1/front_desk_service_pb';
// <watch>
import { watchErrors } from '@acme/postgres/feed';
// </watch>
import { listedReasons, reasonsOf } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { toStatus } from './error-map.ts';
import { SparePartError, type SparePartProblem } from './spare-part.ts';

const id = '0198c0de-0000-7000-8000-000000000001';

/** One problem of each kind. */
const problems: { readonly [Kind in SparePartProblem['kind']]: SparePartProblem } = {
  REQUEST_ID_REUSED: { kind: 'REQUEST_ID_REUSED', requestId: id, sparePartId: id },
  // <get|change>
  SPARE_PART_NOT_FOUND: { kind: 'SPARE_PART_NOT_FOUND', id },
  // </get|change>
  // <change>
  STATE_NOT_ALLOWED: { kind: 'STATE_NOT_ALLOWED', id, from: 'STORED', to: 'STORED' },
  ETAG_MISMATCH: { kind: 'ETAG_MISMATCH', id },
  // </change>
};

test('the contract lists the error reasons of the error map, with their details', () => {
  const errors = Object.values(problems)
    // <no-create>
    // Of no method: none creates a spare part.
    .filter(({ kind }) => kind !== 'REQUEST_ID_REUSED')
    // </no-create>
    .flatMap((problem) => toStatus(new SparePartError(problem)) ?? []);
  // <watch>
  errors.push(...watchErrors('depot.v1'));
  // </watch>
  expect(listedReasons(FrontDeskService)).toEqual(reasonsOf(errors));
});
// </resource>
