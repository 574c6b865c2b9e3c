import { SpanKind } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { type CallOutcome, callOutcomes } from '../testing/call-outcomes.ts';
import { callsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { runNode } from '../testing/programs/run-node.ts';
import { startOtlpCollector } from '../testing/telemetry/otlp-collector.ts';

/** The spans of a call, each by its code and whether it is an error: `NOT_FOUND`, `5 error`. */
interface Cell {
  readonly client: readonly string[];
  readonly server: readonly string[];
  /** Whether the server's span is a child of the client's. */
  readonly joined: boolean;
}

/** Makes the calls of the table in another process, which exports its telemetry to the test. */
async function runTable(environment: Record<string, string>, codeAttribute: string) {
  await using collector = await startOtlpCollector();
  const { stdout } = await runNode('outcome-table-program.ts', { ...collector.environment, ...environment });
  const cells = Object.entries(JSON.parse(stdout) as Record<string, string>).map(([name, traceId]) => {
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    const clients = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
    const servers = spans.filter(({ kind }) => kind === SpanKind.SERVER);
    const described = [clients, servers].map((each) =>
      each.map(({ attributes, isError }) => `${attributes[codeAttribute]}${isError ? ' error' : ''}`),
    );
    const joined = servers[0]?.parentSpanId === clients[0]?.spanId;
    return [name, { client: described[0], server: described[1], joined }];
  });
  return {
    table: Object.fromEntries(cells) as Record<string, Cell>,
    scopes: new Set(collector.spans.map(({ scope }) => scope)),
    // Metrics of calls. The runtime's metrics describe the process.
    metrics: new Set(collector.metrics.filter((name) => !/^(nodejs|v8js)\./.test(name))),
  };
}

/** The expected table: one connected span of each side in every cell. */
function expectedTable(client: (code: Code) => string, server: (code: Code) => string) {
  const cell = ({ code, serverCodes }: CallOutcome) => ({
    client: [client(code)],
    server: [expect.stringMatching(new RegExp(`^(${serverCodes.map(server).join('|')})$`))],
    joined: true,
  });
  return Object.fromEntries(
    callsOfEachKind.flatMap(([kind]) =>
      callOutcomes.map((outcome) => [`${kind}, ${outcome.name}`, cell(outcome)]),
    ),
  );
}

const measured = new Set([
  'rpc.server.call.duration',
  'rpc.server.active_calls',
  'rpc.server.memory_budget.usage',
  'rpc.server.memory_budget.evictions',
  'rpc.client.call.duration',
]);

test('every call of all four kinds is one client span and one server span, whatever ends it', async () => {
  const { table, scopes, metrics } = await runTable({}, 'rpc.status_code');
  const faults = [Code.DEADLINE_EXCEEDED, Code.INTERNAL];
  expect(table).toEqual(
    expectedTable(
      (code) => (code === Code.OK ? 'OK' : `${Code[code]} error`),
      (code) => (faults.includes(code) ? `${Code[code]} error` : `${Code[code]}`),
    ),
  );
  expect(scopes).toEqual(new Set(['@acme/rpc']));
  expect(metrics).toEqual(measured);
});

test('the official instrumentation creates the spans instead, and marks client errors as errors of the server', async () => {
  const environment = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc' };
  const { table, scopes, metrics } = await runTable(environment, 'rpc.grpc.status_code');
  const describe = (code: Code) => (code === Code.OK ? '0' : `${code} error`);
  expect(table).toEqual(expectedTable(describe, describe));
  expect(scopes).toEqual(new Set(['@opentelemetry/instrumentation-grpc']));
  // The official instrumentation records no metrics.
  expect(metrics).toEqual(measured);
});

test('the official instrumentation traces a process that imports grpc-js only as ESM', async () => {
  await using collector = await startOtlpCollector();
  const environment = { ...collector.environment, OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc' };
  await runNode('client-only-program.ts', environment);
  expect(collector.spans).toMatchObject([
    { kind: SpanKind.CLIENT, scope: '@opentelemetry/instrumentation-grpc' },
  ]);
});
