import { reject } from '../reject.ts';
import { suggestion } from './nearest-name.ts';

/**
 * Returns the items with these names, in the order of the items, or all items if there are no `names`. Rejects the
 * command line for an unknown name, and suggests the nearest one or lists all.
 */
export function selectByName<Item extends { readonly name: string }>(
  items: readonly Item[],
  names: readonly string[],
): readonly Item[] {
  const unknown = names.find((name) => !items.some((item) => item.name === name));
  if (unknown === undefined) return items.filter(({ name }) => names.length === 0 || names.includes(name));
  const all = items.map(({ name }) => name);
  return reject(`there is no ${unknown}${suggestion(unknown, all, `the names are ${all.join(', ')}`)}`);
}
