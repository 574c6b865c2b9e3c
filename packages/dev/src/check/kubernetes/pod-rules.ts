import type { Container } from 'kubernetes-types/core/v1.d.ts';
import type { Pods } from './manifest.ts';

/**
 * Requires the Pod Security Standard "restricted" of every pod, and besides it a read-only root file system, resource
 * requests, a memory limit, an image with a version, and no secret in the environment.
 */
export function podProblems({ spec: pod, claims }: Pods): string[] {
  const problems: string[] = [];
  const rule = (kept: unknown, problem: string) => kept || problems.push(problem);
  const { securityContext: security, serviceAccountName = 'default' } = pod;
  rule(security?.runAsNonRoot && security.runAsUser, 'may run as root: set runAsNonRoot and runAsUser');
  rule(security?.seccompProfile?.type === 'RuntimeDefault', 'has no seccompProfile RuntimeDefault');
  rule(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, "shares the node's network or processes");
  rule(!pod.volumes?.some(({ hostPath }) => hostPath), 'mounts files of the node: hostPath');
  rule(
    pod.automountServiceAccountToken === false || serviceAccountName !== 'default',
    'gets a token for the API server: set automountServiceAccountToken: false',
  );
  const volumes = new Set([...claims, ...(pod.volumes ?? []).map(({ name }) => name)]);
  for (const container of [...(pod.initContainers ?? []), ...pod.containers])
    for (const problem of containerProblems(container, volumes))
      problems.push(`container ${container.name} ${problem}`);
  return problems;
}

function containerProblems(container: Container, volumes: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const rule = (kept: unknown, problem: string) => kept || problems.push(problem);
  const { image = '', securityContext: security, resources: { requests, limits } = {} } = container;
  rule(
    security?.allowPrivilegeEscalation === false,
    'may gain privileges: set allowPrivilegeEscalation: false',
  );
  rule(!security?.privileged && security?.runAsUser !== 0, 'is privileged or runs as root');
  rule(
    security?.readOnlyRootFilesystem === true,
    'can write to its root file system: set readOnlyRootFilesystem: true',
  );
  rule(
    String(security?.capabilities?.drop) === 'ALL' && !security?.capabilities?.add?.length,
    'keeps capabilities: set drop: [ALL]',
  );
  rule(requests?.cpu && requests.memory, 'does not request CPU and memory');
  rule(limits?.memory, 'has no memory limit');
  rule(!limits?.cpu, 'has a CPU limit, which stalls its event loop');
  rule(
    /:(?!latest$)[^/:]+$/.test(image),
    `has an image without a version: ${image}: list it in images of the overlay`,
  );
  for (const { name, value = '', valueFrom } of container.env ?? [])
    rule(
      !valueFrom?.secretKeyRef && !/:\/\/[^/@]*:[^/@]+@/.test(value),
      `has a secret in its environment: mount ${name} as a file`,
    );
  rule(
    !container.envFrom?.some(({ secretRef }) => secretRef),
    'has secrets in its environment: mount them as files',
  );
  for (const { name } of container.volumeMounts ?? [])
    rule(volumes.has(name), `mounts ${name}, which is not a volume of its pod`);
  return problems;
}
