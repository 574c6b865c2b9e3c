import { expect, test } from 'vitest';
import { withCalledServices } from './called-services.ts';

const services = [
  { name: 'orders', calls: { inventory: ['inventory:reserve'], payments: ['payments:write'] } },
  { name: 'inventory', calls: {} },
  { name: 'payments', calls: { ledger: ['ledger:write'] } },
  { name: 'shipping', calls: {} },
  { name: 'ledger', calls: { payments: ['payments:read'] } },
];
const namesOf = (...names: string[]) => withCalledServices(services, names).map(({ name }) => name);

test('a service comes after those that it calls, and other services are left out', () => {
  expect(namesOf('orders')).toEqual(['inventory', 'ledger', 'payments', 'orders']);
  expect(namesOf('shipping', 'orders')).toEqual(['shipping', 'inventory', 'ledger', 'payments', 'orders']);
});

test('services that call each other are listed once', () => {
  expect(namesOf('ledger')).toEqual(['payments', 'ledger']);
});

test('a called service that is not listed is an error that names its caller', () => {
  expect(() => withCalledServices(services.slice(0, 2), ['orders'])).toThrow(
    'services.ts does not list payments, which orders calls',
  );
});
