import type { Edit } from './workspace-copy.ts';

/** A defect that the harness must catch: a checker that has never failed proves nothing. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong then. */
  readonly what: string;
  /** Made in a copy of the sources; each text must be there exactly once. */
  readonly edits: readonly Edit[];
  /** The row that catches it. */
  readonly caughtBy: string;
  /** How often that row is tried at the most; races need not come up the first time. */
  readonly rounds: number;
}
