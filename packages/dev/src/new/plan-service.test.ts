import { describe, expect, test } from 'vitest';
import { planService } from './plan-service.ts';

test('a service creates, gets and lists the resource that it is named after', () => {
  expect(planService('deliveries', { rpcs: [] })).toEqual({
    service: 'deliveries',
    stem: 'Delivery',
    settle: false,
    resource: 'Delivery',
    resources: 'Deliveries',
    rpcs: [
      { name: 'CreateDelivery', kind: 'create', served: true, state: 'CREATED', isStream: false },
      { name: 'GetDelivery', kind: 'get', served: true, isStream: false },
      { name: 'ListDeliveries', kind: 'list', served: true, isStream: false },
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
  expect(planService(service, { rpcs: [] })).toMatchObject({ stem: resource, resource, resources });
});

const kindsOf = (service: string, names: string[]) =>
  planService(service, { rpcs: names }).rpcs.map(
    ({ name, kind, served }) => `${name} ${kind}${served ? ' served' : ''}`,
  );

test('methods of the resource are served, and others have a kind', () => {
  const names = [
    'Charge',
    'GetCharge',
    'ListCharges',
    'GetRefund',
    'ListGiftCards',
    'CreateRefund',
    'Reconcile',
  ];
  expect(planService('payments', { rpcs: names })).toMatchObject({
    stem: 'Payment',
    resource: 'Charge',
    resources: 'Charges',
  });
  expect(kindsOf('payments', names)).toEqual([
    'Charge create served',
    'GetCharge get served',
    'ListCharges list served',
    'GetRefund get',
    'ListGiftCards list',
    'CreateRefund create',
    'Reconcile other',
  ]);
});

test.each([
  ['payments', ['GetGiftCard'], 'Payment', 'GiftCard', 'GiftCards'],
  ['giftcards', ['CreateGiftCard'], 'GiftCard', 'GiftCard', 'GiftCards'],
  ['ledger', ['AuthorizeEntry', 'WatchEntries'], 'Ledger', 'Entry', 'Entries'],
  ['ledger', ['ListLedgerEntries'], 'Ledger', 'LedgerEntry', 'LedgerEntries'],
  ['payments', ['Authorize', 'Capture', 'Void'], 'Payment', 'Payment', 'Payments'],
])(
  '%s with the methods %j has the stem %s and the resource %s, in the plural %s',
  (service, names, ...rest) => {
    const { stem, resource, resources } = planService(service, { rpcs: names });
    expect([stem, resource, resources]).toEqual(rest);
  },
);

test('verbs create the resource, change its state and watch it', () => {
  const names = ['Authorize', 'CapturePayment', 'Void', 'VoidInvoice', 'WatchPayments'];
  expect(kindsOf('payments', names)).toEqual([
    'Authorize create served',
    'CapturePayment change served',
    'Void change served',
    'VoidInvoice create',
    'WatchPayments watch served',
  ]);
  const { rpcs } = planService('payments', { rpcs: names });
  expect(rpcs.map(({ state }) => state)).toEqual(['AUTHORIZED', 'CAPTURED', 'VOIDED', undefined, undefined]);
  // With a Create, the other verb that could create changes instead.
  expect(kindsOf('payments', ['AuthorizePayment', 'CreatePayment'])).toEqual([
    'AuthorizePayment change served',
    'CreatePayment create served',
  ]);
});

test('--watch adds a method unless there is one', () => {
  const watched = (rpcs: string[]) => planService('payments', { rpcs, watch: true }).rpcs.at(-1)?.name;
  expect(watched([])).toBe('WatchPayments');
  expect(watched(['WatchPayment', 'GetPayment'])).toBe('GetPayment');
});

test('a stream is named by its verb, or by its kind after a colon', () => {
  const names = ['GetEntry', 'UploadEntries', 'TailErrors', 'Exchange:bidi', 'Sum:client', 'Export:server'];
  expect(kindsOf('ledger', names).slice(1)).toEqual([
    'UploadEntries client',
    'TailErrors server',
    'Exchange bidi',
    'Sum client',
    'Export server',
  ]);
});

describe('rejected names', () => {
  test.each(['Payments', 'pay-ments', 'pay_ments', 'payments2', 'ab', 'é', 'a'.repeat(31), ''])(
    '%j is not a valid service name',
    (name) =>
      expect(() => planService(name, { rpcs: [] })).toThrow(
        'is not a valid service name: use one word of 3 to 30',
      ),
  );

  test.each([
    [['getCharge'], '"getCharge" is not a valid method name: use PascalCase, such as GetCharge'],
    [['GetCharge', 'Get_Refund'], '"Get_Refund" is not a valid'],
    [['GetCharge', 'Charge', 'Charge'], 'Charge is listed twice'],
    [['GetEntry', 'WatchEntry', 'WatchEntries'], 'WatchEntry and WatchEntries are one method'],
    [['CreatePayment', 'Capture', 'CapturePayment'], 'Capture and CapturePayment are one method'],
    [['Create', 'CreatePayment'], 'Create and CreatePayment are one method'],
    [['Juggle', 'Ponder'], 'none of Juggle, Ponder creates, gets, lists or changes'],
    [['GetCharge', 'Sum:both'], 'Sum:both is no kind of stream: use Sum:server, Sum:client, Sum:bidi'],
    [['GetIt'], 'It is not a valid resource'],
  ])('the methods %j are rejected: %s', (names, message) => {
    expect(() => planService('payments', { rpcs: names })).toThrow(message);
  });
});
