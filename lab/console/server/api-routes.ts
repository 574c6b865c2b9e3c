import type { Trace } from '../api.ts';
import type { BookKeeper } from './books/books.ts';
import type { Route } from './http/console-server.ts';
import { HttpError } from './http/http-error.ts';
import type { LoadMaker } from './load/load.ts';
import { readAcknowledgedRequest, readLoadRequest, readTroubleRequest } from './read-requests.ts';
import { openSession, type SessionAccess } from './session/session.ts';
import type { LogStore } from './telemetry/log-store.ts';
import type { SignalStore } from './telemetry/signals.ts';
import type { TraceStore } from './telemetry/trace-store.ts';
import type { Trouble } from './trouble/trouble.ts';

/** The console's work on running services. */
export interface Attached {
  readonly access: SessionAccess;
  readonly books: BookKeeper;
  readonly load: LoadMaker;
  readonly trouble: Trouble;
}

export interface ApiOptions {
  readonly traces: TraceStore;
  readonly logs: LogStore;
  readonly signals: SignalStore;
  /** @throws HttpError 503 before the services run, and after. */
  readonly attached: () => Attached;
  /** Called when the load has changed. */
  readonly onChange: () => void;
}

/** Returns the routes of api.ts, without `GET /api/live`. */
export function apiRoutes({ traces, logs, signals, attached, onChange }: ApiOptions): Record<string, Route> {
  return {
    'GET /api/session': () => openSession(attached().access),
    'GET /api/signals': ({ query }) => signals.since(numberIn(query, 'since') ?? 0),
    'GET /api/traces': ({ query }) =>
      traces.list({
        order: textIn(query, 'order'),
        method: textIn(query, 'method'),
        code: textIn(query, 'code'),
        service: textIn(query, 'service'),
        minMs: numberIn(query, 'minMs'),
        limit: numberIn(query, 'limit'),
      }),
    'GET /api/traces/': ({ rest: id }): Trace => {
      const spans = traces.spansOf(id);
      if (!spans) throw new HttpError(404, `trace ${id} is not kept`);
      return { id, spans, logs: logs.linesOf(id) };
    },
    'POST /api/load': ({ body }) => {
      attached().load.set(readLoadRequest(body));
      onChange();
    },
    'POST /api/trouble': ({ body }) => attached().trouble.apply(readTroubleRequest(body)),
    'POST /api/acknowledged': ({ body }) => {
      const acknowledged = readAcknowledgedRequest(body);
      attached().books.acknowledge(acknowledged);
      traces.watchOrder(acknowledged.orderId);
    },
  };
}

function textIn(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = textIn(query, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new HttpError(400, `${name} must be a number`);
}
