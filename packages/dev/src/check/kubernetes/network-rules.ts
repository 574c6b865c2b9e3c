import type { ServiceSpec } from 'kubernetes-types/core/v1.d.ts';
import type {
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from 'kubernetes-types/networking/v1.d.ts';
import { describe, type Manifest, ofKind, type Pods, podsOf, portOf, selects } from './manifest.ts';
import { operatorPodsOf } from './operator-pods.ts';

/**
 * Requires that all traffic is denied by default, that a NetworkPolicy selects every pod, and that the pods and ports
 * that policies and Services name exist.
 */
export function networkProblems(manifests: readonly Manifest[]): string[] {
  const pods = [...podsOf(manifests), ...operatorPodsOf(manifests)];
  const policies = ofKind<NetworkPolicySpec>(manifests, 'NetworkPolicy');
  const isSelected = (labels: Pods['labels']) =>
    policies.some(({ spec }) => !selectsAll(spec) && selects(spec.podSelector, labels));
  return [
    ...(policies.some(({ spec }) => deniesAll(spec)) ? [] : ['no NetworkPolicy denies all other traffic']),
    ...pods
      .filter(({ labels }) => !isSelected(labels))
      .map(({ workload }) => `${describe(workload)}: no NetworkPolicy selects its pods`),
    ...policies.flatMap((policy) =>
      policyProblems(policy.spec, pods).map((problem) => `${describe(policy)} ${problem}`),
    ),
    ...ofKind<ServiceSpec>(manifests, 'Service').flatMap((service) =>
      servicePortProblems(service.spec, pods).map((problem) => `${describe(service)} ${problem}`),
    ),
  ];
}

function deniesAll(policy: NetworkPolicySpec): boolean {
  const allowsNothing = !policy.ingress && !policy.egress;
  return (
    selectsAll(policy) &&
    allowsNothing &&
    ['Ingress', 'Egress'].every((type) => policy.policyTypes?.includes(type))
  );
}

function selectsAll({ podSelector }: NetworkPolicySpec): boolean {
  return Object.keys(podSelector.matchLabels ?? {}).length === 0;
}

function policyProblems(policy: NetworkPolicySpec, pods: readonly Pods[]): string[] {
  const selected = pods.filter(({ labels }) => selects(policy.podSelector, labels));
  if (selected.length === 0) return ['selects no pod'];
  return [
    ...(policy.ingress ?? []).flatMap(({ from = [], ports = [] }) => [
      ...missingPorts(ports, selected),
      ...peerProblems(from, [], pods),
    ]),
    ...(policy.egress ?? []).flatMap(({ to = [], ports = [] }) => peerProblems(to, ports, pods)),
  ];
}

/** Pods of other namespaces and IP blocks are not in the manifests: they are not checked. */
function peerProblems(
  peers: readonly NetworkPolicyPeer[],
  ports: readonly NetworkPolicyPort[],
  pods: readonly Pods[],
): string[] {
  return peers
    .filter(({ namespaceSelector, podSelector }) => podSelector && !namespaceSelector)
    .flatMap(({ podSelector }) => {
      const selected = pods.filter(({ labels }) => selects(podSelector, labels));
      if (selected.length === 0) return [`allows pods that do not exist: ${JSON.stringify(podSelector)}`];
      return missingPorts(ports, selected);
    });
}

/** A port exists if some of the pods have it. */
function missingPorts(ports: readonly NetworkPolicyPort[], pods: readonly Pods[]): string[] {
  return ports
    .filter(({ port }) => !pods.some(({ spec }) => portOf(spec, port)))
    .map(({ port }) => `allows port ${port}, which the pods do not have`);
}

function servicePortProblems({ selector, ports = [] }: ServiceSpec, pods: readonly Pods[]): string[] {
  const selected = pods.filter(({ labels }) => selects({ matchLabels: selector ?? {} }, labels));
  if (selected.length === 0) return ['selects no pod'];
  return ports
    .filter(({ port, targetPort = port }) => !selected.some(({ spec }) => portOf(spec, targetPort) === port))
    .map(({ port }) => `has port ${port}, which its pods do not: a headless Service does not map ports`);
}
