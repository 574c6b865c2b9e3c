import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from '@acme/dev/repository';
import { migrate } from '@acme/postgres/migrations';
import { openPool } from '@acme/postgres/pool';
import { type Cluster, type ClusterOptions, type Service, startCluster } from '../cluster/cluster.ts';
import type { Replica } from '../cluster/replica.ts';
import { type JudgedLoad, startJudgedLoad } from './judged-load.ts';
import type { PreviousRelease } from './previous-release.ts';
import type { ReleasedCode } from './released-code.ts';

export interface RollingDeployOptions extends Pick<ClusterOptions, 'folder' | 'compileCache'> {
  readonly service: Service;
  readonly release: PreviousRelease;
  /** Undefined where the code is missing. */
  readonly oldCode: ReleasedCode | undefined;
  /** Returns the module URL of a service's main.ts in the working tree. */
  readonly newMain: ClusterOptions['main'];
}

/** A few dozen responses. A connection without calls has less than 1 kB. */
const answersBytes = 4096;
const pollMs = 50;
const callTimeoutMs = 60_000;

type Steps = Record<string, () => Promise<void>>;

/**
 * Returns the steps of a rolling deploy of the last migrations of a service, on one cluster with two replicas of it. In each,
 * customers place orders. Without the old code, the new code alone is run on both schemas.
 *
 * The services that it calls run the new code, because servers are released before their clients. Orders runs the old code
 * while inventory is deployed.
 *
 * @param opened Gets the cluster, which the last step disposes.
 */
export function rollingDeploy(options: RollingDeployOptions, opened: AsyncDisposableStack): Steps {
  const { service, release, oldCode, newMain } = options;
  const stack = opened.use(new AsyncDisposableStack());
  let isNew = oldCode === undefined;
  const main = (name: string) => {
    const isOld = name === service ? !isNew : service === 'inventory';
    return isOld && oldCode ? oldCode.main(name) : newMain(name);
  };
  let opening: Promise<{ cluster: Cluster; load: JudgedLoad }> | undefined;
  const open = () => {
    opening ??= openCluster({ ...options, main }, stack);
    return opening;
  };
  const serve = async (during: (cluster: Cluster) => Promise<void> = async () => {}) => {
    const { cluster, load } = await open();
    const { calls, unknown } = await load.run(() => during(cluster));
    process.stdout.write(`     ${calls} calls, ${unknown} with an unknown outcome\n`);
  };
  const restart = (index: number) =>
    serve(async (cluster) => {
      const replica = cluster[service][index];
      if (!replica) throw new Error(`${service} has no replica ${index}`);
      await replica.terminate();
      await replica.start();
      await untilCalled(replica);
    });
  const finish = async () => {
    await expectRefusal((await open()).cluster, options);
    await stack.disposeAsync();
  };
  const change = release.migrations.length === 0 ? '' : `the schema of ${release.migrations.at(-1)}`;
  if (oldCode === undefined)
    return {
      [`${service}: new code serves on the new schema`]: () => serve(),
      [`${service}: two new replicas start on ${change}, and one migrates`]: async () =>
        startOnOldSchema((await open()).cluster, options),
      [`${service}: a new replica that may not migrate says so`]: finish,
    };
  return {
    [`${service}: old code serves on ${change}`]: () => serve(),
    [`${service}: two new replicas start beside it, and one migrates`]: () => {
      isNew = true;
      return serve((cluster) => startTwo(cluster, service, service));
    },
    [`${service}: old code serves on the new schema, and starts on it`]: () => {
      isNew = false;
      return restart(1);
    },
    [`${service}: old and new code serve on the new schema`]: () => {
      isNew = true;
      return restart(0);
    },
    [`${service}: new code serves on the new schema`]: () => restart(1),
    [`${service}: a new replica that may not migrate says so`]: finish,
  };
}

/** Waits until callers have connected to a replica again, which they do after a backoff, and until it has answered calls. */
async function untilCalled({ name, front }: Replica): Promise<void> {
  const bytes = () => front.counters.passed.downstream;
  const before = bytes();
  for (let waitedMs = 0; bytes() < before + answersBytes; waitedMs += pollMs) {
    if (waitedMs > callTimeoutMs) throw new Error(`${name} got no calls after it had started`);
    await sleep(pollMs);
  }
}

async function openCluster(
  options: RollingDeployOptions & Pick<ClusterOptions, 'main'>,
  stack: AsyncDisposableStack,
): Promise<{ cluster: Cluster; load: JudgedLoad }> {
  const inventoryReplicas = options.service === 'inventory' ? 2 : 1;
  const cluster = stack.use(await startCluster({ ...options, inventoryReplicas }));
  return { cluster, load: stack.use(await startJudgedLoad(cluster)) };
}

/** Starts two more replicas at once, on a database that lacks migrations. Both serve in the end. */
async function startTwo(cluster: Cluster, service: Service, database: string): Promise<void> {
  await using replicas = new AsyncDisposableStack();
  const both: Replica[] = [];
  for (let count = 0; count < 2; count++)
    both.push(replicas.use(await cluster.spareReplica(service, database)));
  await Promise.all(both.map((replica) => replica.start()));
}

async function startOnOldSchema(cluster: Cluster, deploy: RollingDeployOptions): Promise<void> {
  const database = `old_${deploy.service}`;
  await makeOldSchema(cluster, deploy, database);
  await startTwo(cluster, deploy.service, database);
}

/** Expects that a replica does not start on the old schema when its role does not own the tables, and says what it needs. */
async function expectRefusal(cluster: Cluster, deploy: RollingDeployOptions): Promise<void> {
  const database = `owned_${deploy.service}`;
  await makeOldSchema(cluster, deploy, database);
  await using pool = openAdminPool(cluster.database.url(database));
  const role = `reader_of_${database}`;
  await pool.query(`
    CREATE ROLE ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
    ALTER DATABASE ${database} SET role TO ${role}`);
  await using replica = await cluster.spareReplica(deploy.service, database);
  const answer = await replica.start().then(
    () => 'it started',
    (error: Error) => error.message,
  );
  if (!answer.includes('migrate with the database URL of the role that owns the tables'))
    throw new Error(`a replica that may not migrate: ${answer}`);
}

function openAdminPool(url: string) {
  const pool = openPool({ url, max: 1, applicationName: 'rolling', onError: () => {} });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

/** Makes a database with the migrations of the previous release. */
async function makeOldSchema(
  cluster: Cluster,
  { service, release }: RollingDeployOptions,
  database: string,
): Promise<void> {
  const folder = join(cluster.folder, database);
  await mkdir(folder);
  for (const name of release.migrations)
    await cp(join(root, 'services', service, 'migrations', name), join(folder, name));
  await cluster.database.ensureDatabase(database);
  await migrate(cluster.database.url(database), pathToFileURL(folder));
}
