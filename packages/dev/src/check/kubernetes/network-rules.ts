import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IService } from 'kubernetes-models/v1/Service';
import { describe, type Manifest, ofKind, type Pods, podsOf, portOf, selects } from './manifest.ts';

type Policy = NonNullable<INetworkPolicy['spec']>;
type Peers = NonNullable<NonNullable<Policy['egress']>[number]['to']>;
type Ports = NonNullable<NonNullable<Policy['egress']>[number]['ports']>;

/** Who may talk to whom: nobody by default, every pod by a policy of its own, on ports that are there. */
export function networkRuleBreaks(manifests: readonly Manifest[]): string[] {
  const pods = podsOf(manifests);
  const policies = ofKind<Policy>(manifests, 'NetworkPolicy');
  return [
    ...(policies.some(({ spec }) => deniesAll(spec))
      ? []
      : ['no NetworkPolicy denies everything that the others do not let through']),
    ...pods
      .filter(
        ({ labels }) => !policies.some(({ spec }) => !isEmpty(spec) && selects(spec.podSelector, labels)),
      )
      .map(({ manifest }) => `${describe(manifest)}: no NetworkPolicy is for its pods`),
    ...policies.flatMap(({ manifest, spec }) =>
      policyBreaks(spec, pods).map((each) => `${describe(manifest)}: ${each}`),
    ),
    ...ofKind<NonNullable<IService['spec']>>(manifests, 'Service').flatMap(({ manifest, spec }) =>
      serviceBreaks(spec, pods).map((each) => `${describe(manifest)}: ${each}`),
    ),
  ];
}

function deniesAll(policy: Policy): boolean {
  const isForAll = isEmpty(policy) && !policy.ingress && !policy.egress;
  return isForAll && ['Ingress', 'Egress'].every((each) => policy.policyTypes?.includes(each as 'Ingress'));
}

function isEmpty({ podSelector }: Policy): boolean {
  return Object.keys(podSelector?.matchLabels ?? {}).length === 0;
}

function policyBreaks(policy: Policy, pods: readonly Pods[]): string[] {
  const selected = pods.filter(({ labels }) => selects(policy.podSelector, labels));
  if (selected.length === 0) return ['is for no pod that there is'];
  const breaks = (policy.ingress ?? []).flatMap(({ ports = [] }) => missingPorts(ports, selected));
  // A namespace's pods are somebody else's. An address has none.
  for (const { to = [], ports = [] } of policy.egress ?? []) breaks.push(...peerBreaks(to, ports, pods));
  for (const { from = [] } of policy.ingress ?? []) breaks.push(...peerBreaks(from, [], pods));
  return breaks;
}

function peerBreaks(peers: Peers, ports: Ports, pods: readonly Pods[]): string[] {
  return peers
    .filter(({ namespaceSelector, podSelector }) => podSelector && !namespaceSelector)
    .flatMap(({ podSelector }) => {
      const selected = pods.filter(({ labels }) => selects(podSelector, labels));
      if (selected.length === 0) return [`names pods that there are not: ${JSON.stringify(podSelector)}`];
      return missingPorts(ports, selected);
    });
}

/** A port is there if some of the pods have it. */
function missingPorts(ports: Ports, pods: readonly Pods[]): string[] {
  return ports
    .filter(({ port }) => !pods.some(({ spec }) => portOf(spec, port)))
    .map(({ port }) => `names port ${port}, which its pods do not have`);
}

function serviceBreaks(
  { selector, ports = [] }: NonNullable<IService['spec']>,
  pods: readonly Pods[],
): string[] {
  const selected = pods.filter(({ labels }) => selects({ matchLabels: selector ?? {} }, labels));
  if (selected.length === 0) return ['is for no pod that there is'];
  return ports.flatMap(({ port, targetPort = port }) =>
    selected.some(({ spec }) => portOf(spec, targetPort) === port)
      ? []
      : [`port ${port} is no port of its pods: a headless Service does not translate any`],
  );
}
