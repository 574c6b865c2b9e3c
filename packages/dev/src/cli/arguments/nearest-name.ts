/** Share of a name's letters that may be wrong. */
const maxWrongShare = 0.34;

/** Returns the name that a misspelt one most likely stands for, or undefined if none is near. */
function nearestName(misspelt: string, names: readonly string[]): string | undefined {
  const given = misspelt.toLowerCase();
  let nearest: { readonly name: string; readonly edits: number } | undefined;
  for (const name of names) {
    // The beginning of a name counts as one edit.
    const isBeginning = given.length > 2 && name.toLowerCase().startsWith(given);
    const edits = isBeginning ? 1 : editDistance(given, name.toLowerCase());
    if (edits <= Math.max(1, maxWrongShare * name.length) && edits < (nearest?.edits ?? Infinity))
      nearest = { name, edits };
  }
  return nearest?.name;
}

/**
 * Returns ": did you mean NAME?" for the nearest name, otherwise ": " and what `orElse` says. `fullNames` are those to suggest in
 * place of short ones.
 */
export function suggestion(
  misspelt: string,
  names: readonly string[],
  orElse: string,
  fullNames: ReadonlyMap<string, string> = new Map(),
): string {
  const nearest = nearestName(misspelt, names);
  return nearest === undefined ? `: ${orElse}` : `: did you mean ${fullNames.get(nearest) ?? nearest}?`;
}

/** Returns the number of letters to insert, remove, replace or swap with the next one (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}
