import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { root } from '../../repository/paths.ts';
import { documentedMetrics } from '../observability/documented-metrics.ts';
import { certificateRuleBreaks } from './certificate-rules.ts';
import { type Rendered, readKustomization, resolveImage } from './kustomization.ts';
import { describe, ofKind, podsOf } from './manifest.ts';
import { schemaProblems } from './manifest-schema.ts';
import { networkRuleBreaks } from './network-rules.ts';
import { podRuleBreaks } from './pod-rules.ts';
import { scriptBreaks } from './script-rules.ts';
import { serviceRuleBreaks } from './service-rules.ts';
import { readServiceSettings } from './service-settings.ts';

const manifests = join(root, 'deploy/kubernetes');

/** What is wrong with the manifests for Kubernetes, a line each; undefined when nothing. */
export async function kubernetesManifests(folder = manifests): Promise<string | undefined> {
  const overlays = readdirSync(join(folder, 'overlays')).map((each) => join('overlays', each));
  const problems = new Set<string>();
  const read = new Set<string>();
  for (const overlay of overlays) {
    const rendered = readKustomization(folder, overlay);
    for (const file of rendered.files) read.add(file);
    for (const problem of await overlayProblems(rendered)) problems.add(problem);
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (entry.isFile() && !read.has(file)) problems.add(`${file} belongs to no kustomization`);
  }
  return [...problems].join('\n') || undefined;
}

/** What the schemas say; when they are content, what breaks our own rules. */
async function overlayProblems(rendered: Rendered): Promise<string[]> {
  const { manifests, images, configMaps, problems } = rendered;
  const schema = (await Promise.all(manifests.map(schemaProblems))).flat();
  if (problems.length + schema.length > 0) return [...problems, ...schema];
  const resolve = (image: string) => resolveImage(images, image);
  const services = ofKind<NonNullable<IDeployment['spec']>>(manifests, 'Deployment').filter(({ manifest }) =>
    manifest.file.startsWith('base/'),
  );
  return [
    ...podsOf(manifests).flatMap((pods) =>
      [...podRuleBreaks(pods, resolve), ...scriptBreaks(pods)].map(
        (each) => `${describe(pods.manifest)} ${each}`,
      ),
    ),
    ...networkRuleBreaks(manifests),
    ...certificateRuleBreaks(manifests),
    ...namespaceBreaks(rendered),
    ...autoscalerBreaks(rendered),
    ...(
      await Promise.all(
        services.map(async ({ manifest, spec }) => {
          const { name } = manifest.value.metadata;
          const container = spec.template.spec?.containers.find((each) => each.name === name);
          return serviceRuleBreaks(manifest, manifests, await readServiceSettings(container, configMaps));
        }),
      )
    ).flat(),
  ];
}

function namespaceBreaks({ manifests }: Rendered): string[] {
  const namespaces = manifests.filter(({ value }) => value.kind === 'Namespace');
  if (namespaces.length === 0) return ['an overlay has no Namespace'];
  return namespaces
    .filter(({ value }) => value.metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted')
    .map(
      (each) => `${describe(each)} lets pods in that are not restricted: pod-security.kubernetes.io/enforce`,
    );
}

/** An autoscaler without its metric never scales down, and nobody is told. */
function autoscalerBreaks({ manifests }: Rendered): string[] {
  const known = documentedMetrics(readFileSync(join(root, 'docs/observability.md'), 'utf8'));
  return ofKind<NonNullable<IHorizontalPodAutoscaler['spec']>>(manifests, 'HorizontalPodAutoscaler').flatMap(
    ({ manifest, spec: { scaleTargetRef: to, metrics = [] } }) => {
      const isThere = manifests.some(
        ({ value }) => value.kind === to.kind && value.metadata.name === to.name,
      );
      const unknown = metrics
        .flatMap(({ pods }) => pods?.metric.name ?? [])
        .filter((name) => !known.has(name));
      return [
        ...(isThere ? [] : ['scales nothing that there is']),
        ...unknown.map((name) => `wants ${name}, which docs/observability.md does not have`),
      ].map((each) => `${describe(manifest)} ${each}`);
    },
  );
}
