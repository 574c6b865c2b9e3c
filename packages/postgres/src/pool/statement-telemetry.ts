import {
  type Attributes,
  type Histogram,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import pg from 'pg';

/** Whose spans and measurements these are. */
export const scope = '@acme/postgres';

/** What a `query` is given first. */
type Statement = string | pg.QueryConfig;

type Query = (statement: Statement, ...rest: unknown[]) => Promise<unknown>;

/** Anything that runs statements: a pool, or one of its connections. */
interface Queryable {
  query: unknown;
}

/**
 * Makes every statement of a pool visible, by OpenTelemetry's semantic conventions for databases (1.45): a CLIENT span
 * where there is a span to be part of, and `db.client.operation.duration`, in seconds. Work that nobody asked for, a
 * settler's look for orders that are due for instance, makes no traces.
 *
 * A statement is called by the name that it is prepared under. PostgreSQL's client refuses one name for two texts, so
 * the text of a named statement holds no value, and only such texts are shown. Nor are errors, whose messages quote
 * values: their SQLSTATE is.
 */
export function traceStatements(pool: pg.Pool, database: string): void {
  const instrument = statementTracing(database);
  instrument(pool);
  pool.on('connect', instrument);
}

function statementTracing(databaseName: string): (target: Queryable) => void {
  const tracer = trace.getTracer(scope);
  const durations = durationHistogram();
  const database = { 'db.system.name': 'postgresql', 'db.namespace': databaseName };

  const run = async (query: Query, statement: Statement, rest: readonly unknown[]) => {
    const startMs = performance.now();
    const attributes = { ...database, ...statementAttributes(statement) };
    const span = trace.getActiveSpan()?.isRecording()
      ? tracer.startSpan(nameOf(statement), {
          kind: SpanKind.CLIENT,
          attributes: spanAttributes(statement, attributes),
        })
      : undefined;
    let outcome: Attributes | undefined;
    try {
      return await query(statement, ...rest);
    } catch (error) {
      outcome = failureAttributes(error);
      throw error;
    } finally {
      if (span) endSpan(span, outcome);
      durations.record((performance.now() - startMs) / 1000, { ...attributes, ...outcome });
    }
  };
  return (target) => {
    const query = (target.query as Query).bind(target);
    target.query = (statement: Statement, ...rest: unknown[]) => {
      // With a callback it is the pool's own use of a connection, a part of what is measured already; what is
      // submitted, a cursor for instance, gives no promise.
      const isPlain = typeof rest.at(-1) !== 'function' && !('submit' in Object(statement));
      return isPlain ? run(query, statement, rest) : query(statement, ...rest);
    };
  };
}

function durationHistogram(): Histogram {
  return metrics.getMeter(scope).createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'How long statements took, with the wait for a connection where the pool gave one.',
    advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
  });
}

function statementAttributes(statement: Statement): Attributes {
  const text = typeof statement === 'string' ? statement : statement.text;
  return { 'db.operation.name': operationOf(text), 'db.query.summary': nameOf(statement) };
}

function spanAttributes(statement: Statement, attributes: Attributes): Attributes {
  const isPrepared = typeof statement === 'object' && statement.name !== undefined;
  return isPrepared ? { ...attributes, 'db.query.text': statement.text } : attributes;
}

function nameOf(statement: Statement): string {
  return typeof statement === 'string'
    ? operationOf(statement)
    : (statement.name ?? operationOf(statement.text));
}

/** The first operation in the text: INSERT of `WITH placed AS (INSERT ...`. */
function operationOf(text: string): string {
  const [first = ''] = /\w+/.exec(text) ?? [];
  const operation = first.toUpperCase();
  if (operation !== 'WITH') return operation;
  return /\b(?:SELECT|INSERT|UPDATE|DELETE)\b/i.exec(text)?.[0].toUpperCase() ?? operation;
}

/** An error as telemetry may show it: never its message, which can quote values. */
function failureAttributes(error: unknown): Attributes {
  if (error instanceof pg.DatabaseError && error.code)
    return { 'error.type': error.code, 'db.response.status_code': error.code };
  return { 'error.type': error instanceof Error ? error.name : typeof error };
}

function endSpan(span: Span, failure: Attributes | undefined): void {
  if (failure) span.setAttributes(failure).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
