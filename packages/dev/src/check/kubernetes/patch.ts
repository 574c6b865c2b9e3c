import type { Manifest } from './manifest.ts';
import { describe } from './manifest.ts';

interface Patch {
  readonly $patch?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
}

/** What a patch may say: where, and how much. Another change would be judged by nobody, and belongs in the base. */
const where = ['apiVersion', 'kind', 'metadata', 'name', 'spec', 'template', 'containers'];
const howMuch = ['resources', 'requests', 'limits', 'memory', 'cpu', 'minReplicas', 'maxReplicas'];
const sizes = new Set([...where, ...howMuch]);

/** The manifests after a strategic merge patch: deleted ones are gone, other patches change sizes alone. */
export function applyPatch(
  manifests: Manifest[],
  patch: Patch,
  target: { readonly kind?: string; readonly name?: string } = {
    ...(patch.kind !== undefined && { kind: patch.kind }),
    ...(patch.metadata?.name !== undefined && { name: patch.metadata.name }),
  },
): { manifests: Manifest[]; problem?: string } {
  const isTarget = ({ value }: Manifest) =>
    (target.kind ?? value.kind) === value.kind &&
    (target.name ?? value.metadata.name) === value.metadata.name;
  const found = manifests.filter(isTarget);
  if (!found[0])
    return { manifests, problem: `a patch finds no ${target.kind ?? 'object'} ${target.name ?? ''}` };
  if (Array.isArray(patch))
    return { manifests, problem: 'a JSON patch is nothing that this check can judge' };
  if (patch.$patch === 'delete') return { manifests: manifests.filter((each) => !isTarget(each)) };
  const key = keysOf(patch).find((each) => !sizes.has(each));
  return key === undefined
    ? { manifests }
    : {
        manifests,
        problem: `a patch of ${describe(found[0])} changes ${key}, which is no size: change the base`,
      };
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(keysOf);
  return Object.entries(value).flatMap(([key, field]) => [key, ...keysOf(field)]);
}
