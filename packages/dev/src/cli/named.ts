import { fail } from './fail.ts';

/** Returns the items of these names, in the order of the items; all without names. Ends the process for an unknown name. */
export function named<Item extends { readonly name: string }>(
  items: readonly Item[],
  names: readonly string[] | undefined,
): readonly Item[] {
  const unknown = names?.find((name) => !items.some((item) => item.name === name));
  if (unknown === undefined) return items.filter(({ name }) => names?.includes(name) ?? true);
  return fail(`there is no ${unknown}. There are:\n  ${items.map(({ name }) => name).join('\n  ')}`);
}
