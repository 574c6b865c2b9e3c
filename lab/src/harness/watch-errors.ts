/** How what somebody has seen differs from what happened, a line each: every event is to be seen once, and in order. */
export function watchErrors(name: string, seen: readonly string[], happened: readonly string[]): string[] {
  const known = new Set(happened);
  const met = new Set<string>();
  const errors: string[] = [];
  for (const event of seen) {
    if (met.has(event)) errors.push(`${name} saw twice: ${event}`);
    else if (!known.has(event)) errors.push(`${name} saw what did not happen: ${event}`);
    met.add(event);
  }
  for (const event of known) if (!met.has(event)) errors.push(`${name} missed: ${event}`);
  if (errors.length > 0) return errors;
  const at = happened.findIndex((event, index) => event !== seen[index]);
  return at < 0 ? [] : [`${name} saw too early: ${seen[at]}`];
}
