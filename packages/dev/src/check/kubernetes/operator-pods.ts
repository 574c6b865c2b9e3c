import type { Labels, Manifest, Pods } from './manifest.ts';

/** Labels of the pods that CloudNativePG's operator runs for an object, by its kind. */
const labelsOf: Readonly<Record<string, (name: string) => Labels>> = {
  Cluster: (name) => ({ 'cnpg.io/cluster': name }),
  Pooler: (name) => ({ 'cnpg.io/poolerName': name }),
};

/** PostgreSQL or PgBouncer, and the state that the operator reads. */
const ports = [5432, 8000, 9127];

/** Returns the pods that an operator creates for objects of the manifests. Their containers are the operator's. */
export function operatorPodsOf(manifests: readonly Manifest[]): Pods[] {
  return manifests.flatMap((workload) => {
    const labels = labelsOf[workload.kind]?.(workload.metadata.name);
    const containers = [{ name: 'operator', ports: ports.map((containerPort) => ({ containerPort })) }];
    return labels ? [{ workload, labels, spec: { containers }, claims: [] }] : [];
  });
}
