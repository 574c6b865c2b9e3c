import type { Manifest } from './manifest.ts';
import { describe } from './manifest.ts';

/** Which package has the schemas of an API group; Kubernetes' own have no dot, or end in `.k8s.io`. */
const packages: Readonly<Record<string, string>> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** What its schema has against a manifest, and the fields that the schema does not know. */
export async function schemaProblems(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest.value;
  const from = packages[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models';
  const { [kind]: model } = await import(`${from}/${apiVersion}/${kind}`).catch(() => ({}));
  if (!model) return [`${describe(manifest)}: ${from} has no schema of ${apiVersion} ${kind}`];
  const seen: Reads = new Map();
  try {
    model.prototype.validate.call(watchReads(manifest.value, seen));
  } catch (error) {
    return [`${describe(manifest)}: ${error instanceof Error ? error.message : error}`];
  }
  return unread(manifest.value, seen).map((path) => `${describe(manifest)}: there is no field ${path}`);
}

type Reads = Map<object, Set<string>>;

/**
 * The schemas allow fields that they do not know, as the API server does, which then drops them. A validator never looks
 * at those: so what it has read is noted, and the rest is unknown.
 */
function watchReads<Value extends object>(value: Value, seen: Reads): Value {
  return new Proxy(value, {
    get: (target, key) => {
      const field: unknown = Reflect.get(target, key);
      if (typeof key === 'string') seen.set(target, (seen.get(target) ?? new Set()).add(key));
      return isObject(field) ? watchReads(field, seen) : field;
    },
  });
}

/** The paths of fields that nobody has read. */
function unread(value: unknown, seen: Reads, path = ''): string[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, field]) =>
    Array.isArray(value) || seen.get(value)?.has(key)
      ? unread(field, seen, `${path}/${key}`)
      : [`${path}/${key}`],
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
