/** How many articles orders name. */
export const skuCount = 2000;

/** The most popular article is rank 1. */
export function skuOf(rank: number): string {
  return `BENCH-${String(rank).padStart(4, '0')}`;
}

/**
 * The popularity of the articles in a year of a real shop's orders (16,262 order lines): Zipf-Mandelbrot, weight
 * (rank + 200)^-1.35. The first takes 0.5 % of the lines, the first hundred 23 %.
 */
const exponent = 1.35;
const offset = 200;
const first = (1 + offset) ** (1 - exponent);
const beyond = (skuCount + 1 + offset) ** (1 - exponent);

/** A rank. @param random From 0 to 1. */
export function randomRank(random: number): number {
  return Math.floor((first - (first - beyond) * random) ** (1 / (1 - exponent)) - offset);
}

/** The same as an expression of pgbench's, of a variable that is from 0 to 1. */
export function pgbenchRank(variable: string): string {
  return `int(pow(${first} - ${first - beyond} * :${variable}, ${1 / (1 - exponent)}) - ${offset})`;
}
