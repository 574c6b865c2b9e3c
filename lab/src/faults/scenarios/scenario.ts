import type { Rig } from '../../cluster/cluster.ts';
import type { PostgresProxy, TrapOptions } from '../../cluster/postgres-proxy.ts';
import type { Customers } from '../../harness/customer.ts';
import type { Call, Wish } from '../../harness/history.ts';
import type { Random } from '../../harness/seeded-random.ts';

/** A fault, and what is expected of it: a line of the table. After every row all invariants are checked. */
export interface Row {
  readonly name: string;
  /** What is done. */
  readonly fault: string;
  /** How often, in a short run and in a long one. */
  readonly rounds: { readonly short: number; readonly long: number };
  /** Whether customers shop all the while; they do when it is absent. */
  readonly traffic?: false;
  /** Whether there are watchers of what the customers do, who must see it all. */
  readonly watched?: true;
  /** What the rig must have beyond two replicas of orders and one of inventory. Rows that need the same share one. */
  readonly rig?: RigNeeds;
  /** Does it once, and leaves as much broken as it likes. Throws when it cannot. */
  readonly round: (stage: Stage) => Promise<void>;
}

export interface RigNeeds {
  readonly inventoryReplicas?: number;
  /** The URL of a module that the processes of the services load first. */
  readonly preload?: string;
  /** On a small disk of its own, of so many MiB; not run where such a disk cannot be made. */
  readonly diskMiB?: number;
}

/** What a row has to work with. */
export interface Stage {
  readonly rig: Rig;
  readonly random: Random;
  /** Which of the rounds it is, from 0. */
  readonly round: number;
  readonly isShort: boolean;
  /** Their calls are in the history, and their answers are checked. */
  readonly customers: Customers;
  readonly history: readonly Call[];
  /** Somebody who wants something that nobody has asked for yet. */
  wish(units: Wish['units']): Wish;
  /** Puts units on the shelves, by SKU. */
  setStock(units: Readonly<Record<string, number>>): Promise<void>;
  /** Writes down what was expected and is not so. */
  expect(holds: boolean, what: string): void;
  /** Hears of something that a row has measured, shown beside it. */
  note(text: string): void;
  /** Hears of what a round has measured, in ms. Of all that the row has measured by this name, 99 in 100 must keep the limit. */
  measure(name: string, durationsMs: readonly number[], limitMs: number): void;
}

const trapTimeoutMs = 60_000;

/** Waits until a statement is caught and dealt with; throws when none comes by. */
export async function caught(proxy: PostgresProxy, options: TrapOptions): Promise<void> {
  await within(trapTimeoutMs, `the ${options.phase} of ${options.statement}`, proxy.trap(options));
}

/** The promise, or an error that names what did not come in time. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come in ${timeoutMs / 1000} s`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
