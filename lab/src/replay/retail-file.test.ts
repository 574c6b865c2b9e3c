import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readRetailFile, unitsBySku, uuidOf } from './retail-file.ts';

const order = { invoice: '536365', customer: '17850', lines: [{ sku: '15056BL', quantity: 2 }] };
const other = {
  invoice: '536366',
  customer: 'guest',
  lines: [
    { sku: '15056bl', quantity: 3 },
    { sku: '15056BL', quantity: 5 },
  ],
};

async function read(content: string | Buffer) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'retail-'));
  const path = join(folder.path, 'orders.ndjson');
  await writeFile(path, content);
  return await readRetailFile(path);
}

const text = `${JSON.stringify(order)}\n\n${JSON.stringify(other)}\n`;

test('a file of retail orders is read line by line, plain or gzipped', async () => {
  expect((await read(text)).orders).toEqual([order, other]);
  expect((await read(gzipSync(text))).orders).toEqual([order, other]);
});

test('a file is rejected with the number of the line that is not an order', async () => {
  await expect(read(`${JSON.stringify(order)}\n{"invoice": 1}`)).rejects.toThrow(
    /orders\.ndjson:2 is not an order/,
  );
  await expect(read('not json')).rejects.toThrow(/orders\.ndjson:1 is not an order/);
  await expect(read('null')).rejects.toThrow(/orders\.ndjson:1 is not an order/);
  await expect(read(JSON.stringify({ ...order, lines: [{ sku: 'a', quantity: 0 }] }))).rejects.toThrow(
    /is not an order/,
  );
});

test('an empty or missing file is rejected', async () => {
  await expect(read('\n')).rejects.toThrow(/holds no orders/);
  await expect(readRetailFile('/nowhere/orders.ndjson')).rejects.toThrow(
    /cannot read \/nowhere.* \(ENOENT\)/,
  );
});

test('units are summed by case-sensitive SKU', () => {
  expect(unitsBySku([order, other])).toEqual(
    new Map([
      ['15056BL', 7],
      ['15056bl', 3],
    ]),
  );
});

test('equal words give the same UUID, different words different ones', () => {
  expect(uuidOf('file', '536365')).toBe(uuidOf('file', '536365'));
  expect(uuidOf('file', '536365')).not.toBe(uuidOf('file5', '36365'));
  expect(uuidOf('x')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
