import { spanEnd, spanStart } from '@acme/rpc/telemetry';
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

/** Instrumentation scope of the package's spans and measurements. */
export const scope = '@acme/postgres';

/** The `query` of a pool or of a client, without its overloads. */
export type Query = (this: unknown, ...args: readonly unknown[]) => unknown;

type Statement = string | pg.QueryConfig;

/** Runs a `query` with these arguments in a span, and measures it. */
export type TraceStatement = (args: readonly unknown[], query: () => unknown) => unknown;

/**
 * Returns whether `query` returns a promise: the arguments end without a callback, and the statement is not submitted
 * like a cursor.
 */
export function returnsPromise(args: readonly unknown[]): boolean {
  return typeof args.at(-1) !== 'function' && !('submit' in Object(args[0]));
}

/**
 * Returns a function that traces statements by OpenTelemetry's semantic conventions for databases (1.45): a CLIENT span,
 * where there is a parent span, and `db.client.operation.duration` in seconds. Background work without a parent, such as
 * the settler's poll for due orders, makes no traces. A statement with a callback is not traced: it is the pool's use of a
 * connection for a statement that is traced already.
 *
 * A statement is named after its prepared statement. PostgreSQL's client rejects one name for two texts, so the text of a
 * named statement holds no values, and only such texts are recorded. An error is recorded by its SQLSTATE, because its
 * message quotes values.
 */
export function statementTracing(databaseName: string): TraceStatement {
  const tracer = trace.getTracer(scope);
  const durations = durationHistogram();
  const database = { 'db.system.name': 'postgresql', 'db.namespace': databaseName };

  const run = async (statement: Statement, query: () => unknown) => {
    const start = spanStart();
    const attributes = { ...database, ...statementAttributes(statement) };
    const span = trace.getActiveSpan()?.isRecording()
      ? tracer.startSpan(nameOf(statement), {
          kind: SpanKind.CLIENT,
          attributes: spanAttributes(statement, attributes),
          startTime: start.time,
        })
      : undefined;
    let failure: Attributes | undefined;
    try {
      return await query();
    } catch (error) {
      failure = failureAttributes(error);
      throw error;
    } finally {
      const endTime = spanEnd(start);
      if (span) endSpan(span, failure, endTime);
      durations.record((endTime - start.time) / 1000, { ...attributes, ...failure });
    }
  };
  return (args, query) => (returnsPromise(args) ? run(args[0] as Statement, query) : query());
}

function durationHistogram(): Histogram {
  return metrics.getMeter(scope).createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of statements, including the wait for a connection of the pool.',
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

/** Returns the first operation in the text: INSERT for `WITH placed AS (INSERT ...`. */
function operationOf(text: string): string {
  const [first = ''] = /\w+/.exec(text) ?? [];
  const operation = first.toUpperCase();
  if (operation !== 'WITH') return operation;
  return /\b(?:SELECT|INSERT|UPDATE|DELETE)\b/i.exec(text)?.[0].toUpperCase() ?? operation;
}

/** Returns an error's attributes without its message, which can quote values. */
function failureAttributes(error: unknown): Attributes {
  if (error instanceof pg.DatabaseError && error.code)
    return { 'error.type': error.code, 'db.response.status_code': error.code };
  return { 'error.type': error instanceof Error ? error.name : typeof error };
}

function endSpan(span: Span, failure: Attributes | undefined, endTime: number): void {
  if (failure) span.setAttributes(failure).setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
}
