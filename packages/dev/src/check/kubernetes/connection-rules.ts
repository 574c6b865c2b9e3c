import type { Connections } from '@acme/postgres/pool';
import type { DeploymentSpec, StatefulSetSpec } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscalerSpec } from 'kubernetes-types/autoscaling/v2.d.ts';
import { projectName } from '../../repository/project.ts';
import type { ServiceSettings } from '../deployment/service-settings.ts';
import { describe, type Manifest, ofKind } from './manifest.ts';

/** PostgreSQL's default of `max_connections`. */
const defaultMaxConnections = 100;
/** PostgreSQL's default of `superuser_reserved_connections`, which the services cannot use. */
const reservedConnections = 3;
/** PgBouncer's defaults. */
const defaultPoolSize = 20;
const defaultMaxClients = 100;

/** Annotation of a NetworkPolicy to a database outside of the cluster: its `max_connections`. */
const annotation = `${projectName}/max-connections`;

type Parameters = Readonly<Record<string, string>>;

/** The fields of CloudNativePG's Cluster that the rule reads. */
interface ClusterSpec {
  readonly postgresql?: { readonly parameters?: Parameters };
}

/** The fields of CloudNativePG's Pooler that the rule reads. */
interface PoolerSpec {
  readonly instances?: number;
  readonly pgbouncer?: { readonly parameters?: Parameters };
}

interface Demand {
  readonly service: string;
  /** Maximum number during a rollout of the version with most replicas. */
  readonly replicas: number;
  readonly connections: Connections;
}

/**
 * Requires that the database permits the connections of all replicas that the autoscalers and a rollout allow. The services
 * of an overlay share a server. A CloudNativePG Pooler in the overlay is that of all services.
 */
export function connectionProblems(
  manifests: readonly Manifest[],
  settings: ReadonlyMap<string, ServiceSettings>,
): string[] {
  const demands = ofKind<DeploymentSpec>(manifests, 'Deployment').flatMap((deployment): Demand[] => {
    const service = deployment.metadata.name;
    const connections = settings.get(service)?.connections;
    return connections ? [{ service, replicas: maxReplicas(deployment, manifests), connections }] : [];
  });
  if (demands.length === 0) return [];
  const server = findServer(manifests);
  if (!server || !Number.isInteger(server.maxConnections))
    return [
      `no max_connections: add the annotation ${annotation}, a number, to the NetworkPolicy that allows the database`,
    ];
  const poolers = ofKind<PoolerSpec>(manifests, 'Pooler');
  const problems = poolers.flatMap((pooler) => clientProblems(pooler, demands));
  const needed = poolers.length > 0 ? pooledConnections(poolers, demands) : directConnections(demands);
  const permitted = server.maxConnections - reservedConnections;
  if (needed.count > permitted)
    problems.push(
      `${server.name} permits ${permitted} connections, and ${needed.text} have up to ${needed.count}: raise its max_connections to ${needed.count + reservedConnections}, or lower maxReplicas`,
    );
  return problems;
}

/** Returns the maximum number of replicas, with those that a rollout adds. */
function maxReplicas({ metadata, spec }: Manifest<DeploymentSpec>, manifests: readonly Manifest[]): number {
  const autoscaler = ofKind<HorizontalPodAutoscalerSpec>(manifests, 'HorizontalPodAutoscaler').find(
    ({ spec: { scaleTargetRef: target } }) => target.kind === 'Deployment' && target.name === metadata.name,
  );
  const replicas = autoscaler?.spec.maxReplicas ?? spec.replicas ?? 1;
  // A rule of services requires a number.
  return replicas + Number(spec.strategy?.rollingUpdate?.maxSurge);
}

interface DatabaseServer {
  readonly name: string;
  readonly maxConnections: number;
}

function findServer(manifests: readonly Manifest[]): DatabaseServer | undefined {
  const servers = [
    ...ofKind<ClusterSpec>(manifests, 'Cluster').map((cluster) => ({
      name: describe(cluster),
      maxConnections: Number(cluster.spec.postgresql?.parameters?.max_connections ?? defaultMaxConnections),
    })),
    ...ofKind<StatefulSetSpec>(manifests, 'StatefulSet').flatMap((set) =>
      (set.spec.template.spec?.containers ?? [])
        .filter(({ image = '' }) => /(^|\/)postgres(ql)?[:@]/.test(image))
        .map(({ args = [] }) => ({ name: describe(set), maxConnections: maxConnectionsIn(args) })),
    ),
    ...ofKind(manifests, 'NetworkPolicy').flatMap((policy) => {
      const value = policy.metadata.annotations?.[annotation];
      return value === undefined ? [] : [{ name: describe(policy), maxConnections: Number(value) }];
    }),
  ];
  return servers[0];
}

function maxConnectionsIn(args: readonly string[]): number {
  const value = args.map((arg) => /max_connections=(\d+)/.exec(arg)?.[1]).find((each) => each !== undefined);
  return Number(value ?? defaultMaxConnections);
}

/** Without a pooler, every connection of a replica is one of the server. */
function directConnections(demands: readonly Demand[]) {
  const perReplica = ({ shared, direct }: Connections) => shared + direct;
  return {
    count: sum(demands.map(({ replicas, connections }) => replicas * perReplica(connections))),
    text: demands
      .map(
        ({ service, replicas, connections }) =>
          `${replicas} replicas of ${service} with ${perReplica(connections)} each`,
      )
      .join(' and '),
  };
}

/** Each instance of a pooler opens up to `default_pool_size` connections for each database, which are one of each service. */
function pooledConnections(poolers: readonly Manifest<PoolerSpec>[], demands: readonly Demand[]) {
  const ofPoolers = poolers.map(
    ({ spec }) =>
      (spec.instances ?? 1) * demands.length * parameterOf(spec, 'default_pool_size', defaultPoolSize),
  );
  const direct = sum(demands.map(({ replicas, connections }) => replicas * connections.direct));
  return {
    count: sum(ofPoolers) + direct,
    text: `${poolers.map(describe).join(', ')} for ${demands.length} databases and the replicas' direct connections`,
  };
}

/** One instance must be able to serve the clients of all, because the others may be down. */
function clientProblems(pooler: Manifest<PoolerSpec>, demands: readonly Demand[]): string[] {
  const clients = sum(demands.map(({ replicas, connections }) => replicas * connections.shared));
  const permitted = parameterOf(pooler.spec, 'max_client_conn', defaultMaxClients);
  return clients > permitted
    ? [
        `${describe(pooler)} permits ${permitted} clients, and the replicas are up to ${clients}: raise max_client_conn`,
      ]
    : [];
}

function parameterOf({ pgbouncer }: PoolerSpec, name: string, fallback: number): number {
  return Number(pgbouncer?.parameters?.[name] ?? fallback);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
