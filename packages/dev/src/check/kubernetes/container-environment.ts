import type { Container } from 'kubernetes-types/core/v1.d.ts';
import type { Variables } from '../deployment/service-settings.ts';
import { type ConfigMap, type Manifest, ofKind } from './manifest.ts';

/** Resolves the environment of a container from its own variables and from ConfigMaps. Lists the references that do not exist. */
export function containerEnvironment(
  container: Container | undefined,
  manifests: readonly Manifest[],
): { variables: Variables; problems: string[] } {
  const configMaps = new Map(
    (ofKind(manifests, 'ConfigMap') as ConfigMap[]).map(({ metadata, data }) => [metadata.name, data ?? {}]),
  );
  const problems: string[] = [];
  const dataOf = (name = '') => {
    const data = configMaps.get(name);
    if (!data) problems.push(`reads ConfigMap ${name}, which does not exist`);
    return data ?? {};
  };
  const variables: Record<string, string> = {};
  for (const { configMapRef } of container?.envFrom ?? [])
    if (configMapRef) Object.assign(variables, dataOf(configMapRef.name));
  for (const { name, value = '', valueFrom } of container?.env ?? []) {
    const reference = valueFrom?.configMapKeyRef;
    const found = reference ? dataOf(reference.name)[reference.key] : value;
    if (found === undefined && reference?.optional) continue;
    if (found === undefined)
      problems.push(`reads ${reference?.key} of ConfigMap ${reference?.name}, which has no such key`);
    else variables[name] = found;
  }
  return { variables, problems };
}
