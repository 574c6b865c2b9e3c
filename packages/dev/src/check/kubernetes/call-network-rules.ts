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
      const port = entries.find((each) => each.name === name)?.port;
      // A service that is missing is a problem of its own.
      return from && to ? deniedCallProblems(policies, from, to, port) : [];
    }),
  );
}

function deniedCallProblems(
  policies: readonly NetworkPolicySpec[],
  from: Pods,
  to: Pods,
  port: number | undefined,
): string[] {
  const policiesOf = ({ labels }: Pods) => policies.filter(({ podSelector }) => selects(podSelector, labels));
  const egress = policiesOf(from).flatMap((policy) => policy.egress ?? []);
  const ingress = policiesOf(to).flatMap((policy) => policy.ingress ?? []);
  const [caller, called] = [from, to].map(({ workload }) => workload.metadata.name);
  const file = (service = '') => `deploy/kubernetes/base/${service}/networkpolicy.yaml`;
  const problems: string[] = [];
  if (!egress.some((rule) => includesPods(rule.to, to) && includesPort(rule.ports, to, port)))
    problems.push(
      `${file(caller)} does not allow egress to port ${port} of ${called}, which ${caller} calls`,
    );
  if (!ingress.some((rule) => includesPods(rule.from, from) && includesPort(rule.ports, to, port)))
    problems.push(
      `${file(called)} does not allow ingress from ${caller} to port ${port}, which ${caller} calls`,
    );
  return problems;
}

type Peers = readonly {
  readonly namespaceSelector?: unknown;
  readonly podSelector?: { matchLabels?: Labels };
}[];

/** Returns whether a rule applies to pods. It does without peers. A `namespaceSelector` selects other namespaces. */
function includesPods(peers: Peers | undefined, { labels }: Pods): boolean {
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
