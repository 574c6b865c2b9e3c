import { DiagLogLevel, diag, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { currentCall } from '../call/call-context.ts';
import { inSpan } from '../telemetry/span.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { createCallBatcher } from './call-batcher.ts';

/** Batches numbers, whose sizes are the numbers themselves, and records each batch. */
function batchNumbers(
  run = async (numbers: number[]): Promise<(number | Error)[]> => numbers.map((number) => number * 10),
) {
  const calls: number[][] = [];
  const ask = createCallBatcher<number, number>({
    name: 'numbers',
    run: (numbers) => {
      calls.push(numbers);
      return run(numbers);
    },
    sizeOf: (number) => number,
    maxSize: 10,
  });
  return { calls, ask };
}

test('items of one turn share a call, and each gets its own result', async () => {
  const { calls, ask } = batchNumbers();
  const answers = [ask(1)];
  await new Promise<void>((resolve) => process.nextTick(resolve));
  answers.push(ask(2), ask(3));
  expect(await Promise.all(answers)).toEqual([10, 20, 30]);
  expect(calls).toEqual([[1, 2, 3]]);
});

test('an item does not wait for a call in flight', async () => {
  const first = Promise.withResolvers<number[]>();
  const { calls, ask } = batchNumbers((numbers) =>
    numbers.includes(1) ? first.promise : Promise.resolve(numbers),
  );
  const held = ask(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await ask(2)).toBe(2);
  first.resolve([1]);
  expect(await held).toBe(1);
  expect(calls).toEqual([[1], [2]]);
});

test('no call exceeds the maximum size, except for a single larger item', async () => {
  const { calls, ask } = batchNumbers();
  await Promise.all([4, 6, 1, 20, 9, 1].map(ask));
  expect(calls).toEqual([[4, 6], [1], [20], [9, 1]]);
});

test('an error in the results rejects one item, and a failed call rejects all', async () => {
  const { ask } = batchNumbers(async (numbers) => {
    if (numbers.includes(3)) throw new Error('all');
    return numbers.map((number) => (number === 2 ? new Error('two') : number));
  });
  const outcomesOf = async (numbers: number[]) =>
    (await Promise.allSettled(numbers.map(ask))).map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message,
    );
  expect(await outcomesOf([1, 2])).toEqual([1, 'two']);
  expect(await outcomesOf([1, 3])).toEqual(['all', 'all']);
});

test('too few results reject all items', async () => {
  const { ask } = batchNumbers(async () => [1]);
  const message = 'a batch of 2 items returned 1 results';
  await expect(Promise.all([ask(1), ask(2)])).rejects.toThrow(message);
});

test('a single item inherits from its call, and items of a batch do not', async () => {
  const served: (string | undefined)[][] = [];
  const { ask } = batchNumbers(async (numbers) => {
    served.push([numbers.join(), currentCall()?.requestId]);
    return numbers;
  });
  await using server = await startTestServer(EchoService, {
    getEcho: async ({ key }) => {
      await ask(Number(key));
      return {};
    },
    // Two items of different calls, in any order.
    listEchoes: async () => {
      await Promise.all([ask(4), ask(5)]);
      return {};
    },
  });
  const metadata = { 'x-request-id': 'mine' };
  await server.client.getEcho({ key: '1' }, { metadata });
  await server.client.listEchoes({}, { metadata });
  expect(served).toEqual([
    ['1', 'mine'],
    ['4,5', undefined],
  ]);
});

test('an item that does not fit into the batch does not inherit from the call of the first item', async () => {
  const served: (string | undefined)[][] = [];
  const { ask } = batchNumbers(async (numbers) => {
    served.push([numbers.join(), currentCall()?.requestId]);
    return numbers;
  });
  const both = Promise.withResolvers<void>();
  let waiting = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async ({ key }) => {
      if (++waiting === 2) both.resolve();
      await both.promise;
      await ask(Number(key));
      return {};
    },
  });
  const get = (key: string) => server.client.getEcho({ key }, { metadata: { 'x-request-id': key } });
  await Promise.all([get('8'), get('9')]);
  expect(served.sort()).toEqual([
    ['8', '8'],
    ['9', '9'],
  ]);
});

test('the call is in the trace of its first item, and the others link to it', async () => {
  await using telemetry = collectTelemetry();
  const made: unknown[] = [];
  const { ask } = batchNumbers(async (numbers) => {
    made.push(trace.getActiveSpan()?.spanContext());
    return numbers;
  });
  const caller = (number: number) =>
    trace.getTracer('test').startActiveSpan('caller', (span) => ask(number).finally(() => span.end()));
  await Promise.all([1, 2].map(caller));
  const items = telemetry.spans.filter(({ name }) => name === 'numbers');
  const [first, second] = items.map((span) => span.spanContext());
  expect(made).toEqual([first]);
  expect(items.map(({ links }) => links.map(({ context }) => context))).toEqual([[second], [first]]);
  expect(items.map(({ attributes }) => attributes)).toEqual(Array(2).fill({ 'batch.size': 2 }));
  expect(await telemetry.points('batch.size')).toMatchObject([
    { attributes: { 'batch.name': 'numbers' }, value: { count: 1, sum: 2 } },
  ]);
});

test('a large batch links its first item to as many others as a span can hold', async () => {
  await using telemetry = collectTelemetry();
  const warnings: unknown[] = [];
  const ignore = () => {};
  const warn = (text: string) => warnings.push(text);
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
  const { calls, ask } = batchNumbers();
  const callers = Array.from({ length: 200 }, () => inSpan('call', {}, () => ask(0.01)));
  await Promise.all(callers);
  diag.disable();
  expect(calls).toHaveLength(1);
  const [first, ...others] = telemetry.spans.filter(({ name }) => name === 'numbers');
  expect(first?.links).toHaveLength(128);
  expect(others.map(({ links }) => links[0]?.context)).toEqual(others.map(() => first?.spanContext()));
  expect(warnings).toEqual([]);
});
