/** Returns an object with its keys in the order in which npm writes them. */
export function sortKeys<Value>(values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
}
