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

export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  /** A short text that occurs once in the file, whatever its line breaks. */
  readonly replace: string;
  readonly with: string;
}

/**
 * Applies an edit to the text of its file.
 *
 * @throws Error if the text to replace does not occur exactly once: the edit is outdated.
 */
export function applyEdit(text: string, edit: Edit): string {
  const pattern = edit.replace
    .split(/\s+/)
    .map((word) => RegExp.escape(word))
    .join('\\s+');
  const count = [...text.matchAll(new RegExp(pattern, 'g'))].length;
  if (count !== 1)
    throw new Error(`a planted bug is outdated: ${edit.file} contains ${count} times: ${edit.replace}`);
  return text.replace(new RegExp(pattern), () => edit.with);
}
