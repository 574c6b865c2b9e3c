import { type CollectedTelemetry, collectTelemetry } from '@acme/rpc/testing';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { test as base, expect } from 'vitest';
import { createTestDatabase } from '../testing/test-database.ts';
import { transaction } from '../transaction/transaction.ts';
import { openPool, type Pool } from './pool.ts';

const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest requires the pattern to see that no other fixture is used.
  .extend('telemetry', async ({}, { onCleanup }): Promise<CollectedTelemetry> => {
    const telemetry = collectTelemetry();
    onCleanup(() => telemetry[Symbol.asyncDispose]());
    return telemetry;
  })
  .extend('pool', async ({ telemetry: _ }, { onCleanup }): Promise<Pool> => {
    const database = await createTestDatabase();
    const pool = openPool({ url: database.url, max: 2, applicationName: 'tested', onError: () => {} });
    onCleanup(async () => {
      await pool.end();
      await database[Symbol.asyncDispose]();
    });
    return pool;
  });

const inSpan = <T>(body: () => Promise<T>) =>
  trace.getTracer('test').startActiveSpan('caller', (span) => body().finally(() => span.end()));

const statement = { name: 'add', text: 'SELECT $1::int + 1 AS sum', values: [41] };

test('a statement in a trace has one span, with its text and without its values', async ({
  telemetry,
  pool,
}) => {
  await inSpan(async () => {
    await pool.query(statement);
    await transaction(pool, (tx) => tx.query(statement));
  });
  const [caller, ...spans] = telemetry.spans;
  expect(spans.map(({ name }) => name)).toEqual(['add', 'BEGIN', 'add', 'COMMIT']);
  for (const span of spans) {
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.parentSpanContext?.spanId).toBe(caller?.spanContext().spanId);
  }
  expect(spans[0]?.attributes).toEqual({
    'db.system.name': 'postgresql',
    'db.namespace': expect.stringMatching(/^test_/),
    'db.operation.name': 'SELECT',
    'db.query.summary': 'add',
    'db.query.text': statement.text,
  });
});

test('a statement outside of a trace has no span, and is measured', async ({ telemetry, pool }) => {
  await pool.query(statement);
  expect(telemetry.spans).toEqual([]);
  expect(await telemetry.points('db.client.operation.duration')).toMatchObject([
    { attributes: { 'db.query.summary': 'add' }, value: { count: 1 } },
  ]);
});

test('the text of a statement without a name is not recorded, because it can hold values', async ({
  telemetry,
  pool,
}) => {
  await inSpan(async () => {
    await pool.query("SELECT 'canary'");
    await pool.query({ text: "SELECT 'canary'" });
  });
  expect(telemetry.spans.map(({ name }) => name)).toEqual(['caller', 'SELECT', 'SELECT']);
  expect(JSON.stringify(telemetry.spans.map(({ attributes }) => attributes))).not.toContain('canary');
});

test('a failure is recorded by its SQLSTATE, without the message, which quotes values', async ({
  telemetry,
  pool,
}) => {
  const failing = { name: 'parse', text: 'SELECT $1::text::int', values: ['canary'] };
  await expect(inSpan(() => pool.query(failing))).rejects.toThrow('canary');
  const span = telemetry.spans.find(({ name }) => name === 'parse');
  expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span?.events).toEqual([]);
  expect(span?.attributes).toMatchObject({ 'error.type': '22P02', 'db.response.status_code': '22P02' });
  expect(await telemetry.points('db.client.operation.duration')).toMatchObject([
    { attributes: { 'error.type': '22P02' }, value: { count: 1 } },
  ]);
});

test('the operation of a statement that begins with WITH is the one inside', async ({ telemetry, pool }) => {
  await pool.query('CREATE TABLE things (id int)');
  await pool.query('WITH made AS (INSERT INTO things VALUES (1) RETURNING id) SELECT id FROM made');
  const operations = (await telemetry.points('db.client.operation.duration')).map(
    ({ attributes }) => attributes['db.operation.name'],
  );
  expect(operations).toEqual(['CREATE', 'INSERT']);
});

test('the pool’s connections and the requests that wait for one are measured', async ({
  telemetry,
  pool,
}) => {
  const clients = [await pool.connect(), await pool.connect()];
  const waiting = pool.connect();
  const name = 'db.client.connection';
  const pending = await telemetry.points(`${name}.pending_requests`);
  for (const client of clients) client.release();
  (await waiting).release();
  expect(pending).toMatchObject([{ value: 1, attributes: { [`${name}.pool.name`]: 'tested' } }]);
  expect(await telemetry.points(`${name}.count`)).toMatchObject([
    { value: 2, attributes: { [`${name}.state`]: 'idle' } },
    { value: 0, attributes: { [`${name}.state`]: 'used' } },
  ]);
  expect(await telemetry.points(`${name}.max`)).toMatchObject([{ value: 2 }]);
});
