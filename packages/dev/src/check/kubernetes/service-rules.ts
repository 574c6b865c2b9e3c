import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IService } from 'kubernetes-models/v1/Service';
import { describe, type Manifest, ofKind, portOf, selects } from './manifest.ts';
import type { ServiceSettings } from './service-settings.ts';

type Deployment = NonNullable<IDeployment['spec']>;

/** `propagationPauseMs` of `@acme/rpc/server/start-service`. */
const propagationPauseSeconds = 1;

/**
 * What a service has to say so that a node can be drained, a version rolled out and a crowd taken without an order lost.
 * `manifests` are all there are, those of an overlay that has taken some away included.
 */
export function serviceRuleBreaks(
  deployment: Manifest,
  manifests: readonly Manifest[],
  settings: ServiceSettings,
): string[] {
  const spec = deployment.value.spec as Deployment;
  const name = deployment.value.metadata.name;
  const { spec: pod, metadata } = spec.template;
  const container = pod?.containers.find((each) => each.name === name);
  if (!pod || !container) return [`has no container ${name}`];
  const labels = metadata?.labels ?? {};
  const breaks: string[] = [];
  const rule = (kept: unknown, text: string) => kept || breaks.push(text);

  const { maxUnavailable, maxSurge } = spec.strategy?.rollingUpdate ?? {};
  rule(
    maxUnavailable === 0 && Number(maxSurge) > 0,
    'takes a replica away before another is ready: maxUnavailable: 0',
  );
  rule(spec.revisionHistoryLimit, 'keeps every old version, or none: revisionHistoryLimit');
  rule(labels['app.kubernetes.io/component'] === 'service', 'is not labelled as a service');
  rule(
    pod.topologySpreadConstraints?.some(
      ({ topologyKey, labelSelector }) =>
        topologyKey === 'kubernetes.io/hostname' && selects(labelSelector, labels),
    ),
    'may have all of its replicas on one node: topologySpreadConstraints',
  );
  breaks.push(...probeBreaks(container));

  const preStopSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const stopSeconds = preStopSeconds + propagationPauseSeconds + settings.drainTimeoutMs / 1000;
  rule(preStopSeconds > 0, 'stops before its callers hear of it: preStop.sleep');
  rule(
    Number(pod.terminationGracePeriodSeconds) > stopSeconds,
    `is killed while it drains, which takes up to ${stopSeconds} s: terminationGracePeriodSeconds`,
  );

  rule(settings.audience === name, `accepts tokens for ${settings.audience}, not for itself: AUTH_AUDIENCE`);
  const limitMib = Number(/^(\d+)Mi$/.exec(String(container.resources?.limits?.memory))?.[1]);
  rule(
    settings.heapMib * 2 <= limitMib,
    'may fill its limit of memory with heap alone: --max-old-space-size of half of it in NODE_OPTIONS',
  );

  const budgets = ofKind<NonNullable<IPodDisruptionBudget['spec']>>(manifests, 'PodDisruptionBudget');
  rule(
    budgets.some(({ spec: budget }) => budget.maxUnavailable && selects(budget.selector, labels)),
    'has no PodDisruptionBudget with maxUnavailable',
  );
  const autoscalers = ofKind<NonNullable<IHorizontalPodAutoscaler['spec']>>(
    manifests,
    'HorizontalPodAutoscaler',
  );
  const isScaled = autoscalers.some(
    ({ spec: { scaleTargetRef: to } }) => to.kind === 'Deployment' && to.name === name,
  );
  rule(!isScaled || spec.replicas === undefined, 'has replicas, which its autoscaler sets');
  const services = ofKind<NonNullable<IService['spec']>>(manifests, 'Service');
  rule(
    services.some(
      ({ spec: each }) => each.clusterIP === 'None' && selects({ matchLabels: each.selector ?? {} }, labels),
    ),
    'has no headless Service: a client would stay with one replica',
  );

  rule(portOf(pod, 'grpc') === settings.port, `listens on ${settings.port}, which is not its port grpc`);
  rule(
    portOf(pod, 'metrics') === settings.metricsPort,
    `shows metrics on ${settings.metricsPort}, which is not its port metrics`,
  );
  const isServed = (host: string, port: number) =>
    services.some(
      ({ manifest, spec: { ports = [] } }) =>
        manifest.value.metadata.name === host && ports.some((each) => each.port === port),
    );
  for (const { host, port } of settings.targets)
    rule(isServed(host, port), `calls ${host}:${port}, which is no Service here`);
  return [...breaks, ...settings.problems].map((each) => `${describe(deployment)} ${each}`);
}

/** A liveness probe that asked for readiness would restart every replica when the database is away. */
function probeBreaks({ startupProbe, readinessProbe, livenessProbe }: IContainer): string[] {
  const probe = ['node', '/app/packages/rpc/src/client/health-probe.ts'];
  return [
    ...(String(startupProbe?.exec?.command) === String([...probe, 'liveness'])
      ? []
      : ['has no startupProbe that asks for liveness']),
    ...(String(readinessProbe?.exec?.command) === String(probe)
      ? []
      : ['has no readinessProbe that asks for readiness']),
    ...(String(livenessProbe?.exec?.command) === String([...probe, 'liveness'])
      ? []
      : ['has no livenessProbe that asks for liveness']),
  ];
}
