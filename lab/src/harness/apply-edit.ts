/** An edit of a file of the repository. */
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
    throw new Error(`an edit is outdated: ${edit.file} contains ${count} times: ${edit.replace}`);
  return text.replace(new RegExp(pattern), () => edit.with);
}
