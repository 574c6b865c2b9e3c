import { describe, expect, test } from 'vitest';
import { planService } from './plan.ts';

test('ensure a service creates, gets and lists what it is named after', () => {
  expect(planService('deliveries', [])).toEqual({
    service: 'deliveries',
    stem: 'Delivery',
    thing: 'Delivery',
    things: 'Deliveries',
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
])('ensure %s keeps a %s, and several %s', (service, thing, things) => {
  expect(planService(service, [])).toMatchObject({ stem: thing, thing, things });
});

test('ensure methods are served when they are about what the service keeps, and known by their kind if not', () => {
  const names = ['Charge', 'GetCharge', 'ListCharges', 'GetRefund', 'ListGiftCards', 'CreateRefund'];
  expect(planService('payments', names)).toMatchObject({
    stem: 'Payment',
    thing: 'Charge',
    things: 'Charges',
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

describe('what is refused', () => {
  test.each(['Payments', 'pay-ments', 'pay_ments', 'payments2', 'ab', 'é', 'a'.repeat(31), ''])(
    'ensure %j is no name for a service',
    (name) => expect(() => planService(name, [])).toThrow('is no name for a service: one word of 3 to 30'),
  );

  test.each([
    [['getCharge'], '"getCharge" is no name for a method: PascalCase, as GetCharge'],
    [['GetCharge', 'Get_Refund'], '"Get_Refund" is no name'],
    [['GetCharge', 'Charge', 'Charge'], 'Charge is named twice'],
    [['Charge', 'Refund'], 'none of Charge, Refund creates, gets or lists'],
    [['GetGiftCard'], 'none of GetGiftCard creates'],
  ])('ensure the methods %j are refused: %s', (names, complaint) => {
    expect(() => planService('payments', names)).toThrow(complaint);
  });
});
