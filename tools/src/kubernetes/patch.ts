import type { Manifest } from './manifest.ts';
import { describe } from './manifest.ts';

interface Patch {
  readonly $patch?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
}

/** What the rules are about. A patch that changed it would be judged by nobody: it is to be changed in the base. */
const settled = new Set([
  ...[
    'securityContext',
    'startupProbe',
    'readinessProbe',
    'livenessProbe',
    'lifecycle',
    'command',
    'env',
    'envFrom',
  ],
  ...[
    'terminationGracePeriodSeconds',
    'strategy',
    'selector',
    'podSelector',
    'ports',
    'volumes',
    'volumeMounts',
  ],
  ...[
    'automountServiceAccountToken',
    'hostNetwork',
    'hostPID',
    'image',
    'labels',
    'matchLabels',
    'policyTypes',
  ],
]);

/** The manifests after a strategic merge patch: deleted ones are gone, other patches change nothing that is judged. */
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
  const key = keysOf(patch).find((each) => settled.has(each) || each === '$patch');
  return key === undefined
    ? { manifests }
    : { manifests, problem: `a patch of ${describe(found[0])} changes ${key}, which the rules are about` };
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => [key, ...keysOf(field)]);
}
