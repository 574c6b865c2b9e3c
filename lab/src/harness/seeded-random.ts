import { createHash } from 'node:crypto';

/** A pseudo-random sequence that is the same for the same seed. */
export interface Random {
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** Returns an integer from `min` to `max`, both inclusive. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  uuid(): string;
  /** Returns an independent sequence, for code that draws at unpredictable moments. */
  fork(name: string): Random;
}

/** Creates the sequence from SHA-256 of a counter: too slow for statistics, but the same on every machine. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  const draw = () => createHash('sha256').update(`${seed} ${counter++}`).digest();
  const next = () => draw().readUInt32BE(0) / 2 ** 32;
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]) => items[int(0, items.length - 1)] as T,
    fork: (name) => seededRandom(`${seed} ${name}`),
    uuid: () => {
      const hex = draw().toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}
