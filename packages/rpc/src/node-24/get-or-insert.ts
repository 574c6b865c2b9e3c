interface MapLike<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

/** Returns the value of the key, after inserting the result of `create` if there is none. Node 26 has `getOrInsertComputed`. */
export function getOrInsert<Key, Value extends object>(
  map: MapLike<Key, Value>,
  key: Key,
  create: (key: Key) => Value,
): Value {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = create(key);
  map.set(key, created);
  return created;
}
