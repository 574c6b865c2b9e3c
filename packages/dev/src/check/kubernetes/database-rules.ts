import type { ServiceSettings } from '../deployment/service-settings.ts';
import { describe, type Manifest, ofKind } from './manifest.ts';

const folder = 'deploy/kubernetes/components/cloudnative-pg';

/** The fields of CloudNativePG's Cluster that the rule reads. */
interface ClusterSpec {
  readonly managed?: { readonly roles?: readonly { readonly name: string }[] };
}

/** The fields of CloudNativePG's Database that the rule reads. */
interface DatabaseSpec {
  readonly cluster: { readonly name: string };
  readonly name: string;
  readonly owner: string;
}

/** Requires that each CloudNativePG Cluster has a database of every service, and the role that owns it. */
export function databaseProblems(
  manifests: readonly Manifest[],
  settings: ReadonlyMap<string, ServiceSettings>,
): string[] {
  const services = [...settings].flatMap(([name, { connections }]) => (connections ? [name] : []));
  const databases = ofKind<DatabaseSpec>(manifests, 'Database');
  return ofKind<ClusterSpec>(manifests, 'Cluster').flatMap((cluster) => {
    const roles = new Set((cluster.spec.managed?.roles ?? []).map(({ name }) => name));
    return services.flatMap((service) => {
      const database = databases.find(
        ({ spec }) => spec.cluster.name === cluster.metadata.name && spec.name === service,
      );
      if (!database)
        return [
          `${describe(cluster)} has no Database ${service}: write ${folder}/${service}.yaml, and list it in the kustomization beside it`,
        ];
      const { owner } = database.spec;
      return roles.has(owner) ? [] : [`${describe(cluster)} has no role ${owner}: add it to managed.roles`];
    });
  });
}
