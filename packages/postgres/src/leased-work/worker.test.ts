import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CircuitState } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { collectTelemetry } from '@acme/rpc/testing';
import { SpanStatusCode } from '@opentelemetry/api';
import { expect, test, vi } from 'vitest';
import { type Job, jobTable, openWorkDatabase } from '../testing/work-database.ts';
import { createLeases, type Leased, type Leases } from './leases.ts';
import { startWorker, type WorkerOptions } from './worker.ts';

/** Opens a database of jobs. `start` starts a worker whose attempts succeed if `attempt` resolves to true. */
async function openWork(
  attempt: (job: Job) => Promise<boolean>,
  change?: (leases: Leases<Job>) => Partial<Leases<Job>>,
) {
  const database = await openWorkDatabase();
  const leases = createLeases(database.pool, jobTable);
  const circuit: { state: CircuitState } = { state: 'closed' };
  const failed: { id: string; attempts: number; cause: unknown }[] = [];
  const options: WorkerOptions<Job> = {
    name: 'do job',
    leases: { ...leases, ...change?.(leases) },
    attempt: async ({ item }: Leased<Job>) => {
      const isDone = await attempt(item);
      if (isDone) await database.finish(item.id);
      return isDone;
    },
    onFailed: ({ item, attempts }, cause) => void failed.push({ id: item.id, attempts, cause }),
    attributesOf: ({ id }) => ({ 'job.id': id }),
    leaseMs: 2000,
    circuitState: () => circuit.state,
    log: createLogger({ service: 'test', level: 'silent' }),
  };
  const start = () => {
    const worker = startWorker(options);
    return { ...worker, [Symbol.asyncDispose]: worker.stop };
  };
  return { ...database, start, circuit, failed };
}

async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}

const succeed = async () => true;

test('all items that a crash left are done, over several batches, each in a span of its own', async () => {
  await using telemetry = collectTelemetry();
  await using work = await openWork(succeed);
  const ids = await work.addJobs(150);
  await using worker = work.start();
  await eventually(async () => expect(await work.unfinished()).toEqual([]));
  await worker.stop();
  const spans = telemetry.spans.filter(({ name }) => name === 'do job');
  expect(spans.map(({ attributes }) => attributes['job.id']).sort()).toEqual(ids.sort());
});

test('a failed attempt is retried, and does not delay other items', async () => {
  const failing = new Set<string>();
  const attempted: string[] = [];
  const cause = new Error('the service is unavailable');
  await using work = await openWork(async ({ id }) => {
    attempted.push(id);
    if (failing.has(id)) throw cause;
    return true;
  });
  const [first = '', second] = await work.addJobs(2);
  failing.add(first);
  await using worker = work.start();
  await eventually(async () => expect(await work.unfinished()).toEqual([first]));
  failing.clear();
  await work.expediteAll();
  worker.wake();
  await eventually(async () => expect(await work.unfinished()).toEqual([]));
  expect(attempted.filter((id) => id === second)).toHaveLength(1);
  expect(work.failed[0]).toEqual({ id: first, attempts: 1, cause });
});

test('the span of an attempt that throws is an error', async () => {
  await using telemetry = collectTelemetry();
  await using work = await openWork(async () => {
    throw new TypeError('wrong');
  });
  const [id] = await work.addJobs(1);
  await using worker = work.start();
  await eventually(async () => expect(work.failed).toHaveLength(1));
  await worker.stop();
  expect(telemetry.spans[0]).toMatchObject({
    name: 'do job',
    attributes: { 'job.id': id, 'error.type': 'TypeError' },
    status: { code: SpanStatusCode.ERROR },
  });
});

const anHourMs = 3_600_000;

test('the few failures of a batch are retried before their lease would have expired', async () => {
  const attempted: string[] = [];
  await using work = await openWork(
    async ({ id }) => attempted.push(id) !== 1,
    (leases) => ({
      leaseDue: ({ limit }) => leases.leaseDue({ limit, leaseMs: anHourMs }),
      giveBack: (leased) => leases.giveBack(leased, { leaseMs: anHourMs }),
    }),
  );
  await work.addJobs(3);
  await using _worker = work.start();
  await eventually(async () => expect(await work.unfinished()).toEqual([]));
  expect(attempted).toHaveLength(4);
});

test('an unavailable service gets one probe at a time, which does not count as an attempt', async () => {
  const attempted: string[] = [];
  await using work = await openWork(async ({ id }) => {
    attempted.push(id);
    work.circuit.state = 'open';
    return false;
  });
  const ids = await work.addJobs(20);
  work.circuit.state = 'open';
  await using _worker = work.start();
  for (let probes = 1; probes <= 3; probes++) {
    work.circuit.state = 'probe-due';
    await eventually(async () => expect(attempted).toHaveLength(probes));
  }
  // Each probe uses another item.
  expect(new Set(attempted).size).toBe(3);
  const { rows } = await work.pool.query('SELECT sum(attempts) AS attempts FROM jobs');
  expect(rows).toEqual([{ attempts: 0n }]);
  expect(await work.unfinished()).toHaveLength(ids.length);
});

test('all waiting items are due once the service is back, in batches that start small', async () => {
  const attempted: string[] = [];
  const outcome = Promise.withResolvers<boolean>();
  await using work = await openWork(({ id }) => {
    attempted.push(id);
    return outcome.promise;
  });
  await work.addJobs(100);
  await work.pool.query(`UPDATE jobs SET due_time = now() + interval '1 h', attempts = 2`);
  work.circuit.state = 'open';
  await using _worker = work.start();
  work.circuit.state = 'closed';
  await eventually(async () => expect(attempted).not.toEqual([]));
  expect(attempted.length).toBeLessThanOrEqual(8);
  outcome.resolve(true);
  await eventually(async () => expect(await work.unfinished()).toEqual([]));
});

test('a thousand items that always fail do not delay a new one', async () => {
  const bad = new Set<string>();
  const attempted: string[] = [];
  await using work = await openWork(async ({ id }) => {
    attempted.push(id);
    return !bad.has(id);
  });
  for (const id of await work.addJobs(1000)) bad.add(id);
  await work.pool.query(`UPDATE jobs SET attempts = 100, due_time = now() - interval '1 h'`);
  const [added = ''] = await work.addJobs(1);
  await using _worker = work.start();
  await eventually(async () => expect(await work.unfinished()).not.toContain(added));
  // Most of the failing items have not been attempted yet.
  expect(attempted.length).toBeLessThan(500);
});

test('a worker whose query fails keeps polling', async () => {
  let failures = 3;
  await using work = await openWork(succeed, (leases) => ({
    leaseDue: async (options) => {
      if (failures-- > 0) throw new Error('the database is unreachable');
      return await leases.leaseDue(options);
    },
  }));
  await work.addJobs(1);
  await using worker = work.start();
  await eventually(async () => {
    worker.wake();
    expect(await work.unfinished()).toEqual([]);
  });
});

test('a worker that is woken often leaves no timers behind', async () => {
  let polls = 0;
  await using work = await openWork(succeed, () => ({
    leaseDue: async () => {
      polls += 1;
      return [];
    },
  }));
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  await using worker = work.start();
  const before = timers();
  // Each wake ends a sleep, which is much longer than all turns together.
  for (let count = 0; count < 200; count++) {
    worker.wake();
    await nextTurn();
  }
  expect(polls).toBeGreaterThan(100);
  expect(timers()).toBeLessThan(before + 20);
});

test('stop waits for the attempts in progress, and leases no more items', async () => {
  const started = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<boolean>();
  await using work = await openWork(() => {
    started.resolve();
    return outcome.promise;
  });
  await work.addJobs(1);
  await using worker = work.start();
  await started.promise;
  const later = await work.addJobs(1);
  let isStopped = false;
  const stopping = worker.stop().then(() => {
    isStopped = true;
  });
  expect(await work.unfinished()).toHaveLength(2);
  expect(isStopped).toBe(false);
  outcome.resolve(true);
  await stopping;
  expect(await work.unfinished()).toEqual(later);
});

test('batches become smaller when most of a batch fails, and grow again', async () => {
  const limits: number[] = [];
  let isBusy = true;
  await using work = await openWork(
    async () => !isBusy,
    (leases) => ({
      leaseDue: (options) => {
        limits.push(options.limit);
        if (limits.length === 4) isBusy = false;
        return leases.leaseDue(options);
      },
    }),
  );
  await work.addJobs(200);
  await using _worker = work.start();
  await eventually(async () => expect(await work.unfinished()).toEqual([]));
  expect(limits.slice(0, 6)).toEqual([64, 8, 8, 8, 16, 32]);
});
