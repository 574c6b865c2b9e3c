import { describe, expect, test } from 'vitest';
import { planService } from './plan-service.ts';

test('a service creates, gets and lists the resource that it is named after', () => {
  expect(planService('deliveries', [])).toEqual({
    service: 'deliveries',
    stem: 'Delivery',
    resource: 'Delivery',
    resources: 'Deliveries',
    rpcs: [
      { name: 'CreateDelivery', kind: 'create', served: true },
      { name: 'GetDelivery', kind: 'get', served: true },
      { name: 'ListDeliveries', kind: 'list', served: true },
    ],
  });
});

test.each([
  ['payments', 'Payment', 'Payments'],
  ['boxes', 'Box', 'Boxes'],
  ['addresses', 'Address', 'Addresses'],
  ['shipping', 'Shipping', 'Shippings'],
  ['status', 'Status', 'Statuses'],
])('the resource of %s is %s, in the plural %s', (service, resource, resources) => {
  expect(planService(service, [])).toMatchObject({ stem: resource, resource, resources });
});

test('methods of the resource are served, and others have a kind', () => {
  const names = ['Charge', 'GetCharge', 'ListCharges', 'GetRefund', 'ListGiftCards', 'CreateRefund'];
  expect(planService('payments', names)).toMatchObject({
    stem: 'Payment',
    resource: 'Charge',
    resources: 'Charges',
    rpcs: [
      { name: 'Charge', kind: 'other', served: false },
      { name: 'GetCharge', kind: 'get', served: true },
      { name: 'ListCharges', kind: 'list', served: true },
      { name: 'GetRefund', kind: 'get', served: false },
      { name: 'ListGiftCards', kind: 'list', served: false },
      { name: 'CreateRefund', kind: 'create', served: false },
    ],
  });
});

describe('rejected names', () => {
  test.each(['Payments', 'pay-ments', 'pay_ments', 'payments2', 'ab', 'é', 'a'.repeat(31), ''])(
    '%j is not a valid service name',
    (name) =>
      expect(() => planService(name, [])).toThrow('is not a valid service name: use one word of 3 to 30'),
  );

  test.each([
    [['getCharge'], '"getCharge" is not a valid method name: use PascalCase, such as GetCharge'],
    [['GetCharge', 'Get_Refund'], '"Get_Refund" is not a valid'],
    [['GetCharge', 'Charge', 'Charge'], 'Charge is listed twice'],
    [['Charge', 'Refund'], 'none of Charge, Refund creates, gets or lists'],
    [['GetGiftCard'], 'none of GetGiftCard creates'],
  ])('the methods %j are rejected: %s', (names, message) => {
    expect(() => planService('payments', names)).toThrow(message);
  });
});
