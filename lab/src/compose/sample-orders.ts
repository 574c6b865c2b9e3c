import { seededRandom } from '../harness/seeded-random.ts';

const skuCount = 200;
const customerCount = 50;

/**
 * Returns generated orders to replay when there is no file of real ones: NDJSON, the same at every call, with a few popular
 * SKUs and many rare ones.
 */
export function sampleOrders(count: number): string {
  const random = seededRandom('sample orders');
  const line = () => ({
    sku: `SAMPLE-${Math.floor(random.next() ** 3 * skuCount)}`,
    quantity: random.int(1, 12),
  });
  return Array.from({ length: count }, (_, index) => {
    const lines = Array.from({ length: random.int(1, 8) }, line);
    const bySku = new Map(lines.map((each) => [each.sku, each]));
    const customer = `customer-${random.int(0, customerCount - 1)}`;
    return `${JSON.stringify({ invoice: `S-${index}`, customer, lines: [...bySku.values()] })}\n`;
  }).join('');
}
