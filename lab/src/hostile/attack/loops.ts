/** Runs `act` for each index below `count`, `atOnce` at a time. */
export async function inParallel(
  count: number,
  atOnce: number,
  act: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Runs `act` again and again until the time is over, `atOnce` at a time. Returns how often. */
export async function forDuration(
  durationMs: number,
  atOnce: number,
  act: (index: number) => Promise<unknown>,
): Promise<number> {
  const endMs = performance.now() + durationMs;
  let next = 0;
  const lane = async () => {
    while (performance.now() < endMs) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return next;
}

/** Opens `count` of something and disposes them at the end of the process. */
export function many<Item>(count: number, open: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => open(index));
}

/** Returns the item of an index that may be larger than the list. */
export function inTurn<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length] as Item;
}
