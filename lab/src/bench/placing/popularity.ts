/** Number of SKUs in orders. */
export const skuCount = 2000;

/** Returns the SKU of a rank. The most popular SKU has rank 1. */
export function skuOf(rank: number): string {
  return `BENCH-${String(rank).padStart(4, '0')}`;
}

/**
 * Popularity in a year of a real shop's orders (16,262 order lines): Zipf-Mandelbrot with the weight
 * (rank + 200)^-1.35. The first SKU has 0.5 % of the lines, the first hundred have 23 %.
 */
const exponent = 1.35;
const offset = 200;
const first = (1 + offset) ** (1 - exponent);
const beyond = (skuCount + 1 + offset) ** (1 - exponent);

/** Returns a rank by popularity, from a uniform random number from 0 to 1. */
export function randomRank(random: number): number {
  return Math.floor((first - (first - beyond) * random) ** (1 / (1 - exponent)) - offset);
}

/** Returns the same function as a pgbench expression of a variable from 0 to 1. */
export function pgbenchRank(variable: string): string {
  return `int(pow(${first} - ${first - beyond} * :${variable}, ${1 / (1 - exponent)}) - ${offset})`;
}
