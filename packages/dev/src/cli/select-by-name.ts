import { fail } from './fail.ts';

/**
 * Returns the items with these names, in the order of the items, or all items if `names` is undefined. An unknown name
 * ends the process with an error that lists the names.
 */
export function selectByName<Item extends { readonly name: string }>(
  items: readonly Item[],
  names: readonly string[] | undefined,
): readonly Item[] {
  const unknown = names?.find((name) => !items.some((item) => item.name === name));
  if (unknown === undefined) return items.filter(({ name }) => names?.includes(name) ?? true);
  return fail(`there is no ${unknown}. The names are:\n  ${items.map(({ name }) => name).join('\n  ')}`);
}
