import { expect, test } from 'vitest';
import { ofLastWord, pluralOf, singularOf } from './plural.ts';

test.each([
  ['payment', 'payments'],
  ['entry', 'entries'],
  ['delivery', 'deliveries'],
  ['survey', 'surveys'],
  ['box', 'boxes'],
  ['tax', 'taxes'],
  ['batch', 'batches'],
  ['dish', 'dishes'],
  ['class', 'classes'],
  ['address', 'addresses'],
  ['status', 'statuses'],
  ['bonus', 'bonuses'],
  ['bus', 'buses'],
  ['cause', 'causes'],
  ['warehouse', 'warehouses'],
  ['purchase', 'purchases'],
  ['lease', 'leases'],
  ['license', 'licenses'],
  ['expense', 'expenses'],
  ['course', 'courses'],
  ['invoice', 'invoices'],
  ['price', 'prices'],
  ['size', 'sizes'],
  ['quiz', 'quizzes'],
  ['cache', 'caches'],
  ['shoe', 'shoes'],
  ['hero', 'heroes'],
  ['movie', 'movies'],
  ['analysis', 'analyses'],
  ['hypothesis', 'hypotheses'],
  ['index', 'indices'],
  ['person', 'people'],
  ['child', 'children'],
  ['shelf', 'shelves'],
  ['key', 'keys'],
  ['menu', 'menus'],
  ['shipping', 'shippings'],
  ['ledger', 'ledgers'],
  ['gas', 'gases'],
  ['series', 'series'],
  ['logistics', 'logistics'],
  ['news', 'news'],
])('the plural of %s is %s, and back', (one, many) => {
  expect([pluralOf(one), singularOf(many)]).toEqual([many, one]);
  expect(singularOf(one)).toBe(one);
});

test('the plural of a compound is that of its last word', () => {
  expect(ofLastWord('GiftCard', pluralOf)).toBe('GiftCards');
  expect(ofLastWord('LedgerEntries', singularOf)).toBe('LedgerEntry');
  expect(ofLastWord('Box', pluralOf)).toBe('Boxes');
});
