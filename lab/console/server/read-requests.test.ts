import { expect, test } from 'vitest';
import { readAcknowledgedRequest, readLoadRequest, readTroubleRequest } from './read-requests.ts';

const id = '00000000-0000-4000-8000-000000000000';
const acknowledged = {
  customerId: 'c'.repeat(128),
  requestId: id,
  orderId: id,
  state: 'PENDING',
  units: { ['S'.repeat(64)]: 1 },
};

test('a request is read as it is', () => {
  expect(readAcknowledgedRequest(acknowledged)).toEqual(acknowledged);
});

test.for([
  ['customerId', { customerId: 'c'.repeat(129) }],
  ['requestId', { requestId: 'x' }],
  ['a SKU', { units: { ['S'.repeat(65)]: 1 } }],
  ['units of one', { units: { one: -1 } }],
  ['state', { state: 'LOST' }],
] as const)('%s is bounded', ([field, fields]) => {
  expect(() => readAcknowledgedRequest({ ...acknowledged, ...fields })).toThrow(field);
});

test('the name of a part is bounded', () => {
  expect(() => readTroubleRequest({ part: 'p'.repeat(65), action: 'kill' })).toThrow('part');
});

test('the limit of the load is named', () => {
  for (const perSecond of ['10', -1, 301, Number.NaN])
    expect(() => readLoadRequest({ perSecond })).toThrow('perSecond must be a number from 0 to 300');
});
