import type { Edit } from '../../harness/apply-edit.ts';

/** A defect that the harness must catch. A checker that has never failed proves nothing. */
export interface PlantedBug {
  readonly name: string;
  /** Description of the defect, for the table in docs/reliability.md. */
  readonly what: string;
  /** The edits that plant the bug in a copy of the sources. */
  readonly edits: readonly Edit[];
  /** Name of the scenario that catches the bug. */
  readonly caughtBy: string;
  /** Maximum number of rounds of that scenario: a race need not occur in the first one. */
  readonly rounds: number;
}
