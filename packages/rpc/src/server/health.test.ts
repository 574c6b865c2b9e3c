import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import {
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { expect, test } from 'vitest';
import { Code } from '../errors.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const HealthClient = makeClientConstructor(healthService, 'Health');
const name = InventoryService.typeName;

interface Status {
  readonly status: string;
}

/** The health of a server as grpc-health-check's own definitions ask for it. */
function healthClient(target: string) {
  const client = new HealthClient(target, credentials.createInsecure());
  const call = <Answer>(method: string, request: object) =>
    new Promise<Answer>((resolve, reject) => {
      client[method]?.(request, (error: ServiceError | null, answer: Answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  return {
    check: async (service: string) => (await call<Status>('check', { service })).status,
    list: () => call<{ statuses: Record<string, Status> }>('list', {}),
    watch: (service: string) => {
      const stream: ClientReadableStream<Status> = client.watch?.({ service });
      return stream[Symbol.asyncIterator]() as AsyncIterableIterator<Status>;
    },
    [Symbol.dispose]: () => client.close(),
  };
}

test('ensure a server is alive from the start, and ready only when it says so', async () => {
  await using server = await startTestServer(InventoryService, {});
  using health = healthClient(server.target);
  expect(await health.check('liveness')).toBe('SERVING');
  expect([await health.check(''), await health.check(name)]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  server.running.setReady(true);
  expect([await health.check(''), await health.check(name)]).toEqual(['SERVING', 'SERVING']);
  server.running.setReady(false);
  expect([await health.check(''), await health.check(name)]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  expect(await health.check('liveness')).toBe('SERVING');
});

test('ensure the health of an unknown service is NOT_FOUND', async () => {
  await using server = await startTestServer(InventoryService, {});
  using health = healthClient(server.target);
  await expect(health.check('evil.v1.EvilService')).rejects.toMatchObject({ code: Code.NOT_FOUND });
});

test('ensure all that is known is listed', async () => {
  await using server = await startTestServer(InventoryService, {});
  using health = healthClient(server.target);
  expect(await health.list()).toEqual({
    statuses: {
      '': { status: 'NOT_SERVING' },
      [name]: { status: 'NOT_SERVING' },
      liveness: { status: 'SERVING' },
    },
  });
});

test('ensure a watch hears of every change, and a drain ends it with UNAVAILABLE', async () => {
  await using server = await startTestServer(InventoryService, {});
  using health = healthClient(server.target);
  const watches = [health.watch(name), health.watch('')];
  const nextOfAll = async () => {
    const answers = await Promise.all(watches.map((watch) => watch.next()));
    return answers.map(({ value }) => value.status);
  };
  expect(await nextOfAll()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  server.running.setReady(true);
  expect(await nextOfAll()).toEqual(['SERVING', 'SERVING']);
  const drained = server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
  expect(await nextOfAll()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  for (const watch of watches)
    await expect(watch.next()).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      details: 'the server is shutting down',
    });
  await drained;
});

test('ensure health asks for no token, and a watch that was left is forgotten', async () => {
  await using server = await startTestServer(InventoryService, {});
  using health = healthClient(server.target);
  for await (const { status } of health.watch(name)) {
    expect(status).toBe('NOT_SERVING');
    break;
  }
  expect(server.logLines).toEqual([]);
  await server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
});
