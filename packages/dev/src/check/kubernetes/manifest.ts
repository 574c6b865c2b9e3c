import type { PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import { parseAllDocuments } from 'yaml';

export type Labels = Readonly<Record<string, string>>;

/** A Kubernetes object. `kubernetes-types` describes the `spec` of each kind. */
export interface Manifest<Spec = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: Spec;
}

/** A ConfigMap, which has no `spec`. */
export interface ConfigMap extends Manifest {
  readonly data?: Readonly<Record<string, string>>;
}

/** Parses a stream of YAML documents. @throws Error that names the first mistake in the YAML. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS();
  });
}

/** Formats a manifest for messages: `Deployment orders`. */
export function describe({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

export function ofKind<Spec>(manifests: readonly Manifest[], kind: string): Manifest<Spec>[] {
  return manifests.filter((manifest): manifest is Manifest<Spec> => manifest.kind === kind);
}

/** The pods of one workload. */
export interface Pods {
  readonly workload: Manifest;
  readonly labels: Labels;
  readonly spec: PodSpec;
  /** Names of the volumes that a StatefulSet claims for each pod. */
  readonly claims: readonly string[];
}

interface WorkloadSpec {
  readonly template: PodTemplateSpec;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

export function podsOf(manifests: readonly Manifest[]): Pods[] {
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].flatMap((kind) =>
    ofKind<WorkloadSpec>(manifests, kind).flatMap((workload) => {
      const { template, volumeClaimTemplates = [] } = workload.spec;
      const claims = volumeClaimTemplates.map(({ metadata }) => metadata.name);
      const labels = template.metadata?.labels ?? {};
      return template.spec ? [{ workload, labels, spec: template.spec, claims }] : [];
    }),
  );
}

/** Resolves a container port, given by name or number, to its number. Returns undefined when no container has it. */
export function portOf({ containers }: PodSpec, port: number | string | undefined): number | undefined {
  const ports = containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name, containerPort }) => port === name || port === containerPort)?.containerPort;
}

/** Returns whether a selector, of `matchLabels` alone, matches the labels. An empty selector matches everything. */
export function selects(selector: { readonly matchLabels?: Labels } | undefined, labels: Labels): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
