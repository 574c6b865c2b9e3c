import type { ServiceEntry } from '../repository/service-entry.ts';
import { type ServicesAccess, targetOf } from '../repository/services-access.ts';

/** Fills the services that have a `seed`, in their order. Calls `onSeeded` with a description of the data of each. */
export async function seedServices(
  services: readonly ServiceEntry[],
  access: ServicesAccess,
  onSeeded: (data: string) => void,
): Promise<void> {
  const { targets: _all, ...rest } = access;
  for (const { name, seed } of services)
    if (seed) onSeeded(await seed({ ...rest, target: targetOf(access, name) }));
}
