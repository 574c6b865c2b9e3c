const skuCount = 200;
const customerCount = 50;

/**
 * Makes up orders to replay where there is no file of real ones: NDJSON, the same at every call, with a few popular SKUs
 * and many rare ones.
 */
export function sampleOrders(count: number): string {
  const random = seededRandom(20_261_121);
  const line = () => ({
    sku: `SAMPLE-${Math.floor(random() ** 3 * skuCount)}`,
    quantity: 1 + Math.floor(random() * 12),
  });
  return Array.from({ length: count }, (_, index) => {
    const lines = Array.from({ length: 1 + Math.floor(random() * 8) }, line);
    const bySku = new Map(lines.map((each) => [each.sku, each]));
    const customer = `customer-${Math.floor(random() * customerCount)}`;
    return `${JSON.stringify({ invoice: `S-${index}`, customer, lines: [...bySku.values()] })}\n`;
  }).join('');
}

/** A generator of numbers from 0 to 1 (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
