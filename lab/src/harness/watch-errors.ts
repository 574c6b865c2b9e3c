/** Returns the differences between received and expected events, a line each. Each must be received once, in order. */
export function watchErrors(
  watcher: string,
  received: readonly string[],
  expected: readonly string[],
): string[] {
  const known = new Set(expected);
  const unique = new Set<string>();
  const errors: string[] = [];
  for (const event of received) {
    if (unique.has(event)) errors.push(`${watcher} received twice: ${event}`);
    else if (!known.has(event)) errors.push(`${watcher} received an unknown event: ${event}`);
    unique.add(event);
  }
  for (const event of known) if (!unique.has(event)) errors.push(`${watcher} missed: ${event}`);
  if (errors.length > 0) return errors;
  const at = expected.findIndex((event, index) => event !== received[index]);
  return at < 0 ? [] : [`${watcher} received too early: ${received[at]}`];
}
