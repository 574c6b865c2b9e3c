import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DeploymentSpec } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscalerSpec } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Container, ServiceSpec } from 'kubernetes-types/core/v1.d.ts';
import type { PodDisruptionBudgetSpec } from 'kubernetes-types/policy/v1.d.ts';
import type { ServiceSettings } from '../deployment/service-settings.ts';
import { describe, type Labels, type Manifest, ofKind, portOf, selects } from './manifest.ts';

/** `propagationPauseMs` of `@acme/rpc/server/start-service`. */
const propagationPauseSeconds = 1;

/** Returns whether a Deployment runs a service of this repository, by its label or by its name. */
export function isService({ metadata, spec }: Manifest<DeploymentSpec>, servicesFolder: string): boolean {
  return isLabelled(spec.template.metadata?.labels) || existsSync(join(servicesFolder, metadata.name));
}

function isLabelled(labels: Labels = {}): boolean {
  return labels['app.kubernetes.io/component'] === 'service';
}

/**
 * Requires the settings with which a node is drained, a version rolled out and load scaled without losing a call. `manifests` are
 * all of the overlay.
 */
export function serviceProblems(
  deployment: Manifest<DeploymentSpec>,
  manifests: readonly Manifest[],
  settings: ServiceSettings,
): string[] {
  const { name } = deployment.metadata;
  const { spec: pod, metadata } = deployment.spec.template;
  const container = pod?.containers.find((each) => each.name === name);
  if (!pod || !container) return [`${describe(deployment)} has no container ${name}`];
  const labels = metadata?.labels ?? {};
  const problems: string[] = [];
  const rule = (kept: unknown, problem: string) => kept || problems.push(problem);

  const { maxUnavailable, maxSurge } = deployment.spec.strategy?.rollingUpdate ?? {};
  rule(
    maxUnavailable === 0 && Number(maxSurge) > 0,
    'removes a replica before its replacement is ready: set maxUnavailable: 0',
  );
  rule(deployment.spec.revisionHistoryLimit, 'has no revisionHistoryLimit');
  rule(isLabelled(labels), 'lacks the label app.kubernetes.io/component: service');
  rule(
    pod.topologySpreadConstraints?.some(
      ({ topologyKey, labelSelector }) =>
        topologyKey === 'kubernetes.io/hostname' && selects(labelSelector, labels),
    ),
    'may run all of its replicas on one node: set topologySpreadConstraints',
  );
  problems.push(...probeProblems(container));

  const preStopSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const stopSeconds = preStopSeconds + propagationPauseSeconds + settings.drainTimeoutMs / 1000;
  rule(preStopSeconds > 0, 'stops while DNS still lists it: set preStop.sleep');
  rule(
    Number(pod.terminationGracePeriodSeconds) > stopSeconds,
    `may be killed before it has stopped, after up to ${stopSeconds} s: raise terminationGracePeriodSeconds`,
  );

  rule(
    settings.audience === name,
    `accepts tokens for ${settings.audience}: set AUTH_AUDIENCE to its own name`,
  );
  const limitMib = Number(/^(\d+)Mi$/.exec(String(container.resources?.limits?.memory))?.[1]);
  rule(
    settings.heapMib * 2 <= limitMib,
    'may fill more than half of its memory limit with heap: set --max-old-space-size in NODE_OPTIONS',
  );

  rule(
    ofKind<PodDisruptionBudgetSpec>(manifests, 'PodDisruptionBudget').some(
      ({ spec }) => spec.maxUnavailable && selects(spec.selector, labels),
    ),
    'has no PodDisruptionBudget with maxUnavailable',
  );
  const isScaled = ofKind<HorizontalPodAutoscalerSpec>(manifests, 'HorizontalPodAutoscaler').some(
    ({ spec: { scaleTargetRef: target } }) => target.kind === 'Deployment' && target.name === name,
  );
  rule(!isScaled || deployment.spec.replicas === undefined, 'sets replicas, which its autoscaler controls');
  const services = ofKind<ServiceSpec>(manifests, 'Service');
  rule(
    services.some(
      ({ spec }) => spec.clusterIP === 'None' && selects({ matchLabels: spec.selector ?? {} }, labels),
    ),
    'has no headless Service: a client would stay with one replica',
  );

  rule(portOf(pod, 'grpc') === settings.port, `listens on ${settings.port}, which is not its port grpc`);
  rule(
    portOf(pod, 'metrics') === settings.metricsPort,
    `exports metrics on ${settings.metricsPort}, which is not its port metrics`,
  );
  for (const { host, port } of settings.targets)
    rule(
      services.some(
        (each) => each.metadata.name === host && each.spec.ports?.some((one) => one.port === port),
      ),
      `calls ${host}:${port}, which no Service provides`,
    );
  return [...problems, ...settings.problems].map((problem) => `${describe(deployment)} ${problem}`);
}

/** A liveness probe that checks readiness would restart every replica while the database is down. */
function probeProblems({ startupProbe, readinessProbe, livenessProbe }: Container): string[] {
  const readiness = ['node', '/app/dist/health-probe.js'];
  const liveness = [...readiness, 'liveness'];
  const problems: string[] = [];
  if (String(startupProbe?.exec?.command) !== String(liveness))
    problems.push('has no startupProbe that checks liveness');
  if (String(readinessProbe?.exec?.command) !== String(readiness))
    problems.push('has no readinessProbe that checks readiness');
  if (String(livenessProbe?.exec?.command) !== String(liveness))
    problems.push('has no livenessProbe that checks liveness');
  return problems;
}
