import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';

/** An object of Kubernetes, as much of it as all of them have. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly spec?: unknown;
}

export interface Manifest {
  /** Where it stands, from the folder of the kustomizations. */
  readonly file: string;
  readonly value: KubernetesObject;
}

export type Labels = Readonly<Record<string, string>>;

/** What a manifest is called in messages: `base/orders/deployment.yaml: Deployment orders`. */
export function describe({ file, value }: Manifest): string {
  return `${file}: ${value.kind} ${value.metadata?.name}`;
}

/** Those of a kind, with their `spec`, which the schema has been asked about. */
export function ofKind<Spec>(
  manifests: readonly Manifest[],
  kind: string,
): { manifest: Manifest; spec: Spec }[] {
  return manifests
    .filter(({ value }) => value.kind === kind)
    .map((manifest) => ({ manifest, spec: manifest.value.spec as Spec }));
}

export interface Pods {
  readonly manifest: Manifest;
  readonly labels: Labels;
  readonly spec: IPodSpec;
  /** Volumes that each gets by a claim of its own. */
  readonly claims: readonly string[];
}

interface Workload {
  readonly template: { readonly metadata?: { readonly labels?: Labels }; readonly spec?: IPodSpec };
  readonly volumeClaimTemplates?: readonly { readonly metadata?: { readonly name?: string } }[];
}

/** The pods that these manifests make. */
export function podsOf(manifests: readonly Manifest[]): Pods[] {
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].flatMap((kind) =>
    ofKind<Workload>(manifests, kind).flatMap(
      ({ manifest, spec: { template, volumeClaimTemplates = [] } }) => {
        const claims = volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? '');
        const labels = template.metadata?.labels ?? {};
        return template.spec ? [{ manifest, labels, spec: template.spec, claims }] : [];
      },
    ),
  );
}

/** The number of a container's port, by its name or by itself; undefined when no container has it. */
export function portOf({ containers }: IPodSpec, port: number | string | undefined): number | undefined {
  const ports = containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name, containerPort }) => port === name || port === containerPort)?.containerPort;
}

/** Whether a selector of `matchLabels` alone takes something with these labels. An empty one takes everything. */
export function selects(selector: { readonly matchLabels?: Labels } | undefined, labels: Labels): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
