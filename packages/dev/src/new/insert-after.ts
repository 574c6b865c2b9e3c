/** Inserts a text after the last match in a file. Throws when there is none: the file has been rewritten. */
export function insertAfterLast(text: string, pattern: RegExp, insertion: string): string {
  const last = [...text.matchAll(new RegExp(pattern, 'gm'))].at(-1);
  if (!last) throw new Error(`the file of a list of services holds nothing like ${pattern.source}`);
  const at = last.index + last[0].length;
  return text.slice(0, at) + insertion + text.slice(at);
}
