import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type ClientReadableStream,
  credentials,
  Metadata,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { expect, test, vi } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

const HealthClient = makeClientConstructor(healthService, 'Health');
const name = EchoService.typeName;
const patientDrain = { pauseMs: 0, timeoutMs: 60_000 };

interface Status {
  readonly status: string;
}

/** Calls a server's health with the definitions of grpc-health-check, over one connection of its own. */
function healthClient(target: string) {
  const client = new HealthClient(target, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  const call = <Answer>(method: string, request: object, metadata = new Metadata()) =>
    new Promise<Answer>((resolve, reject) => {
      client[method]?.(request, metadata, (error: ServiceError | null, answer: Answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  const openWatch = (service: string): ClientReadableStream<Status> => client.watch?.({ service });
  return {
    check: async (service: string, metadata?: Metadata) =>
      (await call<Status>('check', { service }, metadata)).status,
    list: () => call<{ statuses: Record<string, Status> }>('list', {}),
    openWatch,
    watch: (service: string) => openWatch(service)[Symbol.asyncIterator]() as AsyncIterableIterator<Status>,
    [Symbol.dispose]: () => client.close(),
  };
}

test('a server is alive from the start, and ready only after setReady', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  expect(await health.check('liveness')).toBe('SERVING');
  expect([await health.check(''), await health.check(name)]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  server.running.setReady(true);
  expect([await health.check(''), await health.check(name)]).toEqual(['SERVING', 'SERVING']);
  server.running.setReady(false);
  expect([await health.check(''), await health.check(name)]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  expect(await health.check('liveness')).toBe('SERVING');
});

test('List returns every registered name', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  expect(await health.list()).toEqual({
    statuses: {
      '': { status: 'NOT_SERVING' },
      [name]: { status: 'NOT_SERVING' },
      liveness: { status: 'SERVING' },
    },
  });
});

test.each([
  ['an unknown name', 'evil.v1.EvilService'],
  ['a name of 900 characters', 'x'.repeat(900)],
  ['a name of an object property', '__proto__'],
])('Check of %s is NOT_FOUND, with a text that does not repeat it', async (_name, service) => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  await expect(health.check(service)).rejects.toMatchObject({
    code: Code.NOT_FOUND,
    details: 'unknown service',
  });
});

test('Check of a name of 200 kB is rejected, and the other calls of its connection continue', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  const watch = health.watch(name);
  expect((await watch.next()).value).toEqual({ status: 'NOT_SERVING' });
  const error: ServiceError = await health.check('x'.repeat(200_000)).catch((error) => error);
  // RESOURCE_EXHAUSTED for a request over the size limit of health.
  expect([Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED]).toContain(error.code);
  expect(error.details.length).toBeLessThan(100);
  server.running.setReady(true);
  expect((await watch.next()).value).toEqual({ status: 'SERVING' });
});

test('a watch receives each change once, and a drain ends it with UNAVAILABLE', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  const watches = [health.watch(name), health.watch('')];
  const nextOfAll = async () => {
    const answers = await Promise.all(watches.map((watch) => watch.next()));
    return answers.map(({ value }) => value.status);
  };
  expect(await nextOfAll()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  // As the readiness check does once a second.
  for (let repeated = 0; repeated < 3; repeated++) server.running.setReady(true);
  expect(await nextOfAll()).toEqual(['SERVING', 'SERVING']);
  server.running.setReady(true);
  expect(await health.check('')).toBe('SERVING');
  const drained = server.running.drain(patientDrain);
  expect(await nextOfAll()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  for (const watch of watches)
    await expect(watch.next()).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      details: 'the server is shutting down',
    });
  await drained;
});

test('a watch of an unknown name receives SERVICE_UNKNOWN and stays open', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  const watch = health.watch('evil.v1.EvilService');
  expect((await watch.next()).value).toEqual({ status: 'SERVICE_UNKNOWN' });
  server.running.setReady(true);
  expect(await health.check('')).toBe('SERVING');
  const drained = server.running.drain(patientDrain);
  await expect(watch.next()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  await drained;
});

test('the names of 100 cancelled watches of 900 kB each are not kept', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  const watchOnce = (service: string) =>
    new Promise<void>((resolve) => {
      const watch = health.openWatch(service);
      // Cancelled as soon as it is answered, by a status or, where requests are limited, by an error.
      watch.on('error', () => {}).once('close', () => resolve());
      watch.once('data', () => watch.cancel());
    });
  await watchOnce('warm-up');
  const before = heapBytes();
  for (let count = 0; count < 100; count++) await watchOnce(`${count}`.padEnd(900_000, 'x'));
  expect(heapBytes() - before).toBeLessThan(20_000_000);
});

test('the 1,001st open watch is rejected with RESOURCE_EXHAUSTED, and checks still pass', async () => {
  await using server = await startTestServer(EchoService, {});
  using first = healthClient(server.target);
  using second = healthClient(server.target);
  const cancelled = first.openWatch(name).on('error', () => {});
  await once(cancelled, 'data');
  const watches = Array.from({ length: 999 }, (_, index) =>
    (index % 2 === 0 ? first : second).watch(index % 3 === 0 ? 'unknown' : ''),
  );
  await Promise.all(watches.map((watch) => watch.next()));
  await expect(first.watch('').next()).rejects.toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    details: 'the server has too many open streams',
  });
  expect(await first.check('liveness')).toBe('SERVING');
  cancelled.cancel();
  const openAnother = () => second.watch('').next().catch(String);
  await vi.waitUntil(async () => typeof (await openAnother()) === 'object', { timeout: 15_000 });
});

test('health needs no token, and its calls write no log line', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  expect((await health.watch(name).next()).value).toEqual({ status: 'NOT_SERVING' });
  await health.check('evil.v1.EvilService').catch(() => {});
  await server.running.drain(patientDrain);
  expect(server.logLines).toEqual([]);
});

test('health is behind the metadata limit, and its errors carry a request id', async () => {
  await using server = await startTestServer(EchoService, {});
  using health = healthClient(server.target);
  const metadata = new Metadata();
  metadata.set('x-big', 'x'.repeat(17 * 1024));
  metadata.set('x-request-id', 'own');
  const error: ServiceError = await health.check('', metadata).catch((error) => error);
  expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
  expect(error.metadata.get('x-request-id')).toEqual(['own']);
});

/** Returns the size of the heap after a garbage collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
