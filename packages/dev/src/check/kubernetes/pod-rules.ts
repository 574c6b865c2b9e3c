import type { IContainer } from 'kubernetes-models/v1/Container';
import type { Pods } from './manifest.ts';

/**
 * What every pod of ours has to say: what the Pod Security Standard "restricted" asks for, and besides it a root file
 * system that cannot be written, bounds, a pinned image and no secret in the environment.
 */
export function podRuleBreaks(
  { spec: pod, claims }: Pods,
  resolveImage: (image: string) => string,
): string[] {
  const breaks: string[] = [];
  const { securityContext: security, automountServiceAccountToken: mounts, serviceAccountName } = pod;
  if (security?.runAsNonRoot !== true || !security.runAsUser)
    breaks.push('may run as root: runAsNonRoot, runAsUser');
  if (security?.seccompProfile?.type !== 'RuntimeDefault')
    breaks.push('has no seccompProfile RuntimeDefault');
  if (pod.hostNetwork || pod.hostPID || pod.hostIPC) breaks.push("shares its node's network or processes");
  if (pod.volumes?.some(({ hostPath }) => hostPath)) breaks.push("mounts its node's files");
  if (mounts !== false && (serviceAccountName === undefined || serviceAccountName === 'default'))
    breaks.push('is given a token for the API server: automountServiceAccountToken: false');
  const volumes = new Set([...claims, ...(pod.volumes ?? []).map(({ name }) => name)]);
  for (const container of [...(pod.initContainers ?? []), ...pod.containers])
    for (const each of containerRuleBreaks(container, volumes, resolveImage(container.image ?? '')))
      breaks.push(`container ${container.name} ${each}`);
  return breaks;
}

function containerRuleBreaks(container: IContainer, volumes: ReadonlySet<string>, image: string): string[] {
  const breaks: string[] = [];
  const { securityContext: security, resources } = container;
  if (security?.allowPrivilegeEscalation !== false)
    breaks.push('may gain privileges: allowPrivilegeEscalation');
  if (security?.privileged || security?.runAsUser === 0) breaks.push('is privileged, or root');
  if (security?.readOnlyRootFilesystem !== true) breaks.push('can write its root: readOnlyRootFilesystem');
  if (String(security?.capabilities?.drop) !== 'ALL' || security?.capabilities?.add?.length)
    breaks.push('keeps capabilities: drop: [ALL]');
  if (!resources?.requests?.cpu || !resources.requests.memory) breaks.push('does not request cpu and memory');
  if (!resources?.limits?.memory) breaks.push('has no limit of memory');
  if (resources?.limits?.cpu) breaks.push('has a limit of cpu, which stops its event loop');
  if (!/:(?!latest$)[^/:]+$/.test(image)) breaks.push(`has an image without a version: ${image}`);
  for (const { name, value, valueFrom } of container.env ?? [])
    if (valueFrom?.secretKeyRef || /:\/\/[^/@]*:[^/@]+@/.test(value ?? ''))
      breaks.push(`has a secret in its environment: ${name}. Mount it as a file`);
  if (container.envFrom?.some(({ secretRef }) => secretRef)) breaks.push('has secrets in its environment');
  for (const { name } of container.volumeMounts ?? [])
    if (!volumes.has(name)) breaks.push(`mounts ${name}, which is no volume of its pod`);
  return breaks;
}
