import { expect } from 'vitest';
import { test } from '../support/pair-test.ts';
import type { Clients } from '../support/start-test-pair.ts';

async function listAll({ inventory }: Clients, skuPrefix: string, pageSize: number): Promise<string[]> {
  const skus: string[] = [];
  let pageToken = '';
  do {
    const page = await inventory.listStock({ skuPrefix, pageSize, pageToken });
    expect(page.stocks.length).toBeLessThanOrEqual(pageSize);
    skus.push(...page.stocks.map(({ sku }) => sku));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return skus;
}

test('the pages of a prefix contain each of its SKUs once, in byte order', async ({ pair, customer }) => {
  // Order of the UTF-8 bytes, which differs from collations and from the order of UTF-16.
  const sorted = ['p ', 'p!', 'pA', 'pB', 'p_', 'pa', 'pä', 'p\uffee', 'p🧀'];
  const stock = ['o', ...sorted, 'q', 'P'];
  await pair.setStock(Object.fromEntries(stock.map((sku) => [sku, 1])));
  expect(await listAll(customer, 'p', 2)).toEqual(sorted);
  expect(await listAll(customer, 'p', 200)).toEqual(sorted);
  expect(await listAll(customer, '', 5)).toEqual(['P', 'o', ...sorted, 'q']);
});

test.for([
  ['100%', ['100% wool', '100%'], ['100 wool', '1000']],
  ['a_c', ['a_c', 'a_c-1'], ['abc', 'a-c']],
  ['back\\slash', ['back\\slash'], ['backslash']],
  ['größe ', ['größe 1', 'größe 2'], ['größe', 'grösse 1']],
  ['🧀', ['🧀', '🧀 1', '🧀🧀'], ['🧁']],
  ['\u{10ffff}', ['\u{10ffff}', '\u{10ffff}\u{10ffff}', '\u{10ffff}\u{10ffff} 1'], []],
  ['z'.repeat(63), ['z'.repeat(63), 'z'.repeat(64), `${'z'.repeat(63)}\u{10ffff}`], ['z'.repeat(62)]],
] as const)('the prefix %s is matched literally', async ([prefix, listed, others], { pair, customer }) => {
  await pair.setStock(Object.fromEntries([...listed, ...others].map((sku) => [sku, 1])));
  expect(new Set(await listAll(customer, prefix, 200))).toEqual(new Set(listed));
});

test('a page holds 50 items by default and at most 200', async ({ pair, customer }) => {
  const skus = Array.from({ length: 210 }, (_, index) => `page-${index}`);
  await pair.setStock(Object.fromEntries(skus.map((sku) => [sku, 1])));
  const sizeOf = async (pageSize: number) =>
    (await customer.inventory.listStock({ skuPrefix: 'page-', pageSize })).stocks.length;
  expect(await Promise.all([0, 1, 200, 201, 2 ** 31 - 1].map(sizeOf))).toEqual([50, 1, 200, 200, 200]);
});

test('ListStock and GetStock return the same stock', async ({ pair, customer: { inventory } }) => {
  await pair.setStock({ same: 7 });
  const { stock } = await inventory.getStock({ sku: 'same' });
  expect(stock).toMatchObject({ sku: 'same', title: 'same', onHand: 7n, reserved: 0n, available: 7n });
  expect((await inventory.listStock({ skuPrefix: 'same' })).stocks).toEqual([stock]);
});
