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

/** Runs `act` repeatedly for this time, `atOnce` at a time. Returns the number of runs. */
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

/** Returns `count` items. Whatever `open` opens stays open until the process ends. */
export function many<Item>(count: number, open: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => open(index));
}

/** Returns the item at the index modulo the length. */
export function inTurn<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length] as Item;
}
