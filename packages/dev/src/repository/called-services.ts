import type { ServiceEntry } from './service-entry.ts';

type Callers = Pick<ServiceEntry, 'name' | 'calls'>;

/**
 * Returns the named services and all that they call, directly or through others, each after those that it calls. Services
 * that call each other are in the order in which they are found.
 *
 * @throws Error when a name is not in the list.
 */
export function withCalledServices<Entry extends Callers>(
  services: readonly Entry[],
  names: readonly string[],
): Entry[] {
  const ordered = new Set<Entry>();
  const begun = new Set<string>();
  const add = (name: string, caller?: string) => {
    if (begun.has(name)) return;
    begun.add(name);
    const entry = services.find((each) => each.name === name);
    if (!entry)
      throw new Error(
        `services.ts does not list ${name}${caller === undefined ? '' : `, which ${caller} calls`}`,
      );
    for (const called of Object.keys(entry.calls)) add(called, name);
    ordered.add(entry);
  };
  for (const name of names) add(name);
  return [...ordered];
}
