import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DeploymentSpec } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscalerSpec } from 'kubernetes-types/autoscaling/v2.d.ts';
import { services } from '../../repository/load-services.ts';
import { root } from '../../repository/paths.ts';
import type { ListedService } from '../deployment/listed-service.ts';
import { readServiceSettings, type ServiceSettings } from '../deployment/service-settings.ts';
import { readDocumentedMetrics } from '../observability/documented-metrics.ts';
import { connectionProblems } from './connection-rules.ts';
import { containerEnvironment } from './container-environment.ts';
import { databaseProblems } from './database-rules.ts';
import { buildKustomization } from './kustomize.ts';
import { listedServiceProblems } from './listed-service-rules.ts';
import { describe, type Manifest, ofKind, podsOf } from './manifest.ts';
import { networkProblems } from './network-rules.ts';
import { podProblems } from './pod-rules.ts';
import { scriptProblems } from './script-rules.ts';
import { isService, serviceProblems } from './service-rules.ts';

/**
 * Holds every overlay, as kustomize builds it, to the rules. Returns the problems, a line each, undefined when there are
 * none, or why nothing was checked.
 */
export async function checkKubernetes(
  folder = join(root, 'deploy/kubernetes'),
  entries: readonly ListedService[] = services,
): Promise<string | { readonly skipped: string } | undefined> {
  // Kustomizations beside the folder build ConfigMaps of files that Compose reads too.
  const problems = unlistedFiles(dirname(folder));
  for (const overlay of readdirSync(join(folder, 'overlays'))) {
    const manifests = buildKustomization(join(folder, 'overlays', overlay));
    if (!manifests) return { skipped: 'neither kustomize nor kubectl is on the PATH' };
    // Without a service the policies of its pods select none.
    if (entries.length === 0) continue;
    const found = await manifestProblems(manifests, join(root, 'services'), entries);
    problems.push(...found.map((problem) => `overlays/${overlay}: ${problem}`));
  }
  return problems.join('\n') || undefined;
}

/** Lists files and folders that the kustomization beside them does not name: kustomize would leave them out. */
function unlistedFiles(folder: string): string[] {
  return globSync('**/kustomization.yaml', { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll(/#.*/g, '');
    const named = new Set(['kustomization.yaml', ...text.split(/[\s[\],=]+/)]);
    return readdirSync(join(folder, dirname(file)))
      .filter((entry) => !named.has(entry))
      .map((entry) => `${join(dirname(file), entry)} is not listed in ${file}`);
  });
}

/** Holds the manifests of one overlay to the rules. `servicesFolder` has a folder for each service. */
export async function manifestProblems(
  manifests: readonly Manifest[],
  servicesFolder: string,
  entries: readonly ListedService[],
): Promise<string[]> {
  const deployments = ofKind<DeploymentSpec>(manifests, 'Deployment').filter((each) =>
    isService(each, servicesFolder),
  );
  const settings = new Map<string, ServiceSettings>();
  for (const { metadata, spec } of deployments) {
    const { name } = metadata;
    const container = spec.template.spec?.containers.find((each) => each.name === name);
    const { variables, problems } = containerEnvironment(container, manifests);
    const read = await readServiceSettings(name, variables, servicesFolder);
    settings.set(name, { ...read, problems: [...problems, ...read.problems] });
  }
  const serviceRules = deployments.flatMap((deployment) => {
    const own = settings.get(deployment.metadata.name);
    return own ? serviceProblems(deployment, manifests, own) : [];
  });
  return [
    ...podsOf(manifests).flatMap((pods) =>
      [...podProblems(pods), ...scriptProblems(pods, servicesFolder)].map(
        (problem) => `${describe(pods.workload)} ${problem}`,
      ),
    ),
    ...networkProblems(manifests),
    ...certificateProblems(manifests),
    ...namespaceProblems(manifests),
    ...autoscalerProblems(manifests),
    ...connectionProblems(manifests, settings),
    ...databaseProblems(manifests, settings),
    ...serviceRules,
    ...listedServiceProblems(entries, manifests, settings),
  ];
}

function namespaceProblems(manifests: readonly Manifest[]): string[] {
  const namespaces = ofKind(manifests, 'Namespace');
  if (namespaces.length === 0) return ['there is no Namespace'];
  return namespaces
    .filter(({ metadata }) => metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted')
    .map((each) => `${describe(each)} lacks the label pod-security.kubernetes.io/enforce: restricted`);
}

/** An autoscaler without its metric never scales down, and reports no error. */
function autoscalerProblems(manifests: readonly Manifest[]): string[] {
  const known = readDocumentedMetrics();
  return ofKind<HorizontalPodAutoscalerSpec>(manifests, 'HorizontalPodAutoscaler').flatMap((autoscaler) => {
    const { scaleTargetRef: target, metrics = [] } = autoscaler.spec;
    const hasTarget = ofKind(manifests, target.kind).some(({ metadata }) => metadata.name === target.name);
    const unknown = metrics.flatMap(({ pods }) => pods?.metric.name ?? []).filter((name) => !known.has(name));
    return [
      ...(hasTarget ? [] : [`scales ${target.kind} ${target.name}, which does not exist`]),
      ...unknown.map((name) => `scales by ${name}, which no document lists`),
    ].map((problem) => `${describe(autoscaler)} ${problem}`);
  });
}

/** The fields of cert-manager's Certificate that the rule reads. */
interface CertificateSpec {
  readonly issuerRef: { readonly kind?: string; readonly name: string };
}

/** Requires an Issuer in the same namespace: a ClusterIssuer signs what any namespace requests. */
function certificateProblems(manifests: readonly Manifest[]): string[] {
  return ofKind<CertificateSpec>(manifests, 'Certificate').flatMap((certificate) => {
    const { kind, name } = certificate.spec.issuerRef;
    if (kind !== 'Issuer')
      return [`${describe(certificate)} is signed by a ${kind}, which signs for every namespace`];
    const exists = ofKind(manifests, 'Issuer').some(({ metadata }) => metadata.name === name);
    return exists ? [] : [`${describe(certificate)} is signed by the Issuer ${name}, which does not exist`];
  });
}
