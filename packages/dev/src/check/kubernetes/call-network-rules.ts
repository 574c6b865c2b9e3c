import type { NetworkPolicyPort, NetworkPolicySpec } from 'kubernetes-types/networking/v1.d.ts';
import type { ListedService } from '../deployment/listed-service.ts';
import { type Labels, type Manifest, ofKind, type Pods, podsOf, portOf, selects } from './manifest.ts';

/** Lists calls between services that the NetworkPolicies of the caller or of the called service deny. */
export function callNetworkProblems(
  manifests: readonly Manifest[],
  entries: readonly ListedService[],
): string[] {
  const policies = ofKind<NetworkPolicySpec>(manifests, 'NetworkPolicy').map(({ spec }) => spec);
  const pods = podsOf(manifests);
  const podsNamed = (name: string) => pods.find(({ workload }) => workload.metadata.name === name);
  return entries.flatMap((caller) =>
    Object.keys(caller.calls).flatMap((name) => {
      const [from, to] = [podsNamed(caller.name), podsNamed(name)];
      // A service that is missing is a problem of its own.
      if (!from || !to) return [];
      const port = entries.find((each) => each.name === name)?.port;
      const file = (service: string) => `deploy/kubernetes/base/${service}/networkpolicy.yaml`;
      return [
        ...(allowsEgress(policies, from.labels, to, port)
          ? []
          : [
              `${file(caller.name)} does not allow egress to port ${port} of ${name}, which ${caller.name} calls`,
            ]),
        ...(allowsIngress(policies, from.labels, to, port)
          ? []
          : [
              `${file(name)} does not allow ingress from ${caller.name} to port ${port}, which ${caller.name} calls`,
            ]),
      ];
    }),
  );
}

function allowsEgress(
  policies: readonly NetworkPolicySpec[],
  from: Labels,
  to: Pods,
  port: number | undefined,
): boolean {
  return policies
    .filter(({ podSelector }) => selects(podSelector, from))
    .flatMap(({ egress = [] }) => egress)
    .some(({ to: peers, ports }) => includesPods(peers, to.labels) && includesPort(ports, to, port));
}

function allowsIngress(
  policies: readonly NetworkPolicySpec[],
  from: Labels,
  to: Pods,
  port: number | undefined,
): boolean {
  return policies
    .filter(({ podSelector }) => selects(podSelector, to.labels))
    .flatMap(({ ingress = [] }) => ingress)
    .some(({ from: peers, ports }) => includesPods(peers, from) && includesPort(ports, to, port));
}

type Peers = readonly {
  readonly namespaceSelector?: unknown;
  readonly podSelector?: { matchLabels?: Labels };
}[];

/** Returns whether a rule applies to pods. It does without peers. A `namespaceSelector` selects other namespaces. */
function includesPods(peers: Peers | undefined, labels: Labels): boolean {
  if (!peers?.length) return true;
  return peers.some(
    ({ namespaceSelector, podSelector }) => podSelector && !namespaceSelector && selects(podSelector, labels),
  );
}

/** Returns whether a rule applies to a port. It does without ports. */
function includesPort(
  ports: readonly NetworkPolicyPort[] | undefined,
  pods: Pods,
  port: number | undefined,
): boolean {
  return !ports?.length || ports.some((each) => portOf(pods.spec, each.port) === port);
}
