import type { DeploymentSpec } from 'kubernetes-types/apps/v1.d.ts';
import { developmentTrustDomain } from '../../credentials/development-certificates.ts';
import { type CallPlaces, callProblems } from '../deployment/call-rules.ts';
import type { ListedService } from '../deployment/listed-service.ts';
import { portProblems } from '../deployment/port-rules.ts';
import type { ServiceSettings } from '../deployment/service-settings.ts';
import { callNetworkProblems } from './call-network-rules.ts';
import { type Labels, type Manifest, ofKind, selects } from './manifest.ts';

const kubernetes = 'deploy/kubernetes';

const places: CallPlaces = {
  target: (caller) => `${kubernetes}/base/${caller}/deployment.yaml`,
  peers: (called) =>
    `${called} of peers in the kustomization of the overlay, which AUTH_PEERS of ${called} reads`,
};

/** The fields of cert-manager's Certificate that the rules read. */
interface CertificateSpec {
  readonly secretName?: string;
  readonly uris?: readonly string[];
}

/** The fields of the Prometheus operator's PodMonitor that the rules read. */
interface PodMonitorSpec {
  readonly selector: { readonly matchLabels?: Labels };
  readonly podMetricsEndpoints: readonly {
    readonly port: string;
    readonly relabelings?: readonly { readonly targetLabel?: string; readonly replacement?: string }[];
  }[];
}

/** Requires that an overlay runs every service of `services.ts`, with its ports, its certificate and its calls. */
export function listedServiceProblems(
  entries: readonly ListedService[],
  manifests: readonly Manifest[],
  settings: ReadonlyMap<string, ServiceSettings>,
): string[] {
  const deployed = new Map(
    [...settings].map(([name, own]) => [
      name,
      { settings: own, identity: identityOf(name, manifests, settings) },
    ]),
  );
  return [
    ...entries.flatMap((entry) => placeProblems(entry, manifests, settings.get(entry.name))),
    ...callProblems(entries, deployed, places),
    ...callNetworkProblems(manifests, entries),
  ];
}

function placeProblems(
  entry: ListedService,
  manifests: readonly Manifest[],
  settings: ServiceSettings | undefined,
): string[] {
  const { name } = entry;
  const deployment = ofKind<DeploymentSpec>(manifests, 'Deployment').find(
    ({ metadata }) => metadata.name === name,
  );
  if (!deployment || !settings)
    return [
      `no Deployment ${name}: write ${kubernetes}/base/${name}, and list it in the kustomization beside it`,
    ];
  const problems = portProblems(entry, settings).map((problem) => `Deployment ${name} ${problem}`);
  const certificates = ofKind<CertificateSpec>(manifests, 'Certificate');
  if (certificates.length > 0 && !certificates.some(({ spec }) => spec.secretName === `${name}-tls`))
    problems.push(
      `no Certificate for the Secret ${name}-tls: write ${kubernetes}/components/cert-manager/${name}.yaml, and list it in the kustomization beside it`,
    );
  const monitors = ofKind<PodMonitorSpec>(manifests, 'PodMonitor');
  const labels = deployment.spec.template.metadata?.labels ?? {};
  if (monitors.length > 0 && !monitors.some(({ spec }) => scrapes(spec, labels)))
    problems.push(`no PodMonitor scrapes the port metrics of ${name} and sets component=service`);
  return problems;
}

function scrapes({ selector, podMetricsEndpoints }: PodMonitorSpec, labels: Labels): boolean {
  const isForServices = podMetricsEndpoints.some(
    ({ port, relabelings = [] }) =>
      port === 'metrics' &&
      relabelings.some(
        ({ targetLabel, replacement }) => targetLabel === 'component' && replacement === 'service',
      ),
  );
  return isForServices && selects(selector, labels);
}

/**
 * Returns the SPIFFE ID of a service's certificate: of its Certificate; or, where Secrets with certificates are created in
 * another way, an accepted one with its name or else that of development.
 */
function identityOf(
  name: string,
  manifests: readonly Manifest[],
  settings: ReadonlyMap<string, ServiceSettings>,
): string | undefined {
  const certificates = ofKind<CertificateSpec>(manifests, 'Certificate');
  if (certificates.length > 0)
    return certificates.find(({ spec }) => spec.secretName === `${name}-tls`)?.spec.uris?.[0];
  const accepted = [...settings.values()].flatMap(({ peers }) => [...peers.keys()]);
  const development = `spiffe://${developmentTrustDomain}/${name}`;
  return settings.get(name)?.variables.NODE_ENV === 'development'
    ? development
    : (accepted.find((id) => id.endsWith(`/${name}`)) ?? development);
}
