import { createHash } from 'node:crypto';

/** Chance that is the same for the same seed. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number within the bounds, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  uuid(): string;
  /** A chance of its own for somebody who draws at moments that are not the same each time. */
  fork(name: string): Random;
}

/** SHA-256 of a counter: slow for statistics, and the same on every machine. */
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
