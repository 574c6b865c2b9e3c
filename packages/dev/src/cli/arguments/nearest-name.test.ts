import { expect, test } from 'vitest';
import { suggestion } from './nearest-name.ts';

const names = ['--orders-port', '--orders-web-port', '--data', 'hot', 'place'];

test.each([
  ['--ordrs-port', '--orders-port'],
  ['--orders-prot', '--orders-port'],
  ['--ORDERS-PORT', '--orders-port'],
  ['--orders-web-prt', '--orders-web-port'],
  ['--orders', '--orders-port'],
  ['--dta', '--data'],
  ['hto', 'hot'],
])('%s suggests %s', (misspelt, name) => {
  expect(suggestion(misspelt, names, 'none')).toBe(`: did you mean ${name}?`);
});

test.each(['--metrics', 'pl', 'abc', ''])('nothing is near "%s"', (misspelt) => {
  expect(suggestion(misspelt, names, 'none')).toBe(': none');
});

test('the full name is suggested for a short one', () => {
  const fullNames = new Map([['PlaceOrder', 'orders.v1.OrderService/PlaceOrder']]);
  expect(suggestion('PlaceOrdr', [...fullNames.keys()], 'none', fullNames)).toBe(
    ': did you mean orders.v1.OrderService/PlaceOrder?',
  );
});
