import { type DatabaseUrls, openDatabases } from '@acme/lab/harness/check-databases';
import type { PairAccess } from '@acme/lab/pair/pair';
import type { Live, Trace } from '../api.ts';
import { type BookKeeper, noBooks, openBooks } from './books/books.ts';
import { type ConsoleServerOptions, startConsoleServer } from './http/console-server.ts';
import { createEventStream } from './http/event-stream.ts';
import { HttpError } from './http/http-error.ts';
import { type LoadMaker, noLoad, startLoad } from './load/load.ts';
import { pageFile } from './page-bundle.ts';
import { readAcknowledgedRequest, readLoadRequest, readTroubleRequest } from './read-requests.ts';
import { openSession } from './session/session.ts';
import { createLogStore } from './telemetry/log-store.ts';
import { startOtlpReceiver } from './telemetry/otlp-receiver.ts';
import { createSignalStore, type SignalStore } from './telemetry/signals.ts';
import { createTraceStore } from './telemetry/trace-store.ts';
import type { Breakable } from './trouble/breakable.ts';
import { startTrouble, type Trouble } from './trouble/trouble.ts';

/** The running services, as the console uses them. */
export interface System extends PairAccess, DatabaseUrls {
  /** Base URLs of the services for browsers, by service name. */
  readonly webUrls: Readonly<Record<string, string>>;
  readonly parts: readonly Breakable[];
}

export interface ServeOptions extends Pick<ConsoleServerOptions, 'onCall'> {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** The port that browsers use, where it is another. */
  readonly publicPort?: number;
  /** Port of the OTLP receiver; 0 is any free port. */
  readonly otlpPort: number;
  /** Where the services send their telemetry instead of to the console. Null if they do not. */
  readonly telemetryElsewhere: string | null;
}

export interface Console extends AsyncDisposable {
  readonly port: number;
  readonly otlpPort: number;
  readonly signals: SignalStore;
  /** Shows the services. Until then the page says that they start. */
  attach(system: System): void;
  /** Ends load, checks and trouble. The page says that the services stop. */
  detach(): Promise<void>;
}

/** The console's work on running services. */
interface Attached {
  readonly system: System;
  readonly books: BookKeeper;
  readonly load: LoadMaker;
  readonly trouble: Trouble;
}

const liveMs = 1000;
/** Maximum duration of a statement of the checks. The sum of all reservations takes 3 s for a million. */
const checkTimeoutMs = 300_000;
/** Changes within this time are sent together. */
const settleMs = 30;

/** Serves the page, its API, and an OTLP receiver. */
export async function serveConsole(options: ServeOptions): Promise<Console> {
  await using started = new AsyncDisposableStack();
  const traces = createTraceStore();
  const logs = createLogStore();
  const signals = createSignalStore();
  const receiver = started.use(
    await startOtlpReceiver({
      host: options.host,
      port: options.otlpPort,
      onTraces: traces.add,
      onMetrics: signals.add,
      onLogs: logs.add,
    }),
  );
  let phase: Live['phase'] = 'starting';
  let attached: Attached | undefined;
  let opened = new AsyncDisposableStack();
  let soon: NodeJS.Timeout | undefined;

  const live = (): Live => ({
    atMs: Date.now(),
    phase,
    load: attached?.load.load ?? noLoad,
    books: attached?.books.books ?? noBooks,
    parts: attached?.trouble.parts ?? [],
    telemetryElsewhere: options.telemetryElsewhere,
  });
  const events = started.use(createEventStream(live));
  const send = () => {
    clearTimeout(soon);
    soon = undefined;
    events.send();
  };
  const onChange = () => {
    soon ??= setTimeout(send, settleMs);
  };
  const ticking = setInterval(send, liveMs);
  started.defer(() => {
    clearInterval(ticking);
    clearTimeout(soon);
  });
  const running = () => {
    if (attached) return attached;
    throw new HttpError(503, phase === 'starting' ? 'the services start' : 'the services stop');
  };

  const server = started.use(
    await startConsoleServer({
      ...options,
      pageFile,
      onLive: events.add,
      routes: {
        'GET /api/session': () => openSession(running().system),
        'GET /api/signals': ({ query }) => signals.since(numberIn(query, 'since') ?? 0),
        'GET /api/traces': ({ query }) => {
          const text = (name: string) => query.get(name) || undefined;
          return traces.list({
            order: text('order'),
            method: text('method'),
            code: text('code'),
            service: text('service'),
            minMs: numberIn(query, 'minMs'),
            limit: numberIn(query, 'limit'),
          });
        },
        'GET /api/traces/': ({ rest: id }): Trace => {
          const spans = traces.spansOf(id);
          if (!spans) throw new HttpError(404, `trace ${id} is not kept`);
          return { id, spans, logs: logs.linesOf(id) };
        },
        'POST /api/load': ({ body }) => {
          running().load.set(readLoadRequest(body));
          onChange();
        },
        'POST /api/trouble': ({ body }) => running().trouble.apply(readTroubleRequest(body)),
        'POST /api/acknowledged': ({ body }) => {
          const acknowledged = readAcknowledgedRequest(body);
          running().books.acknowledge(acknowledged);
          traces.watchOrder(acknowledged.orderId);
        },
      },
    }),
  );
  const detach = async () => {
    phase = 'stopping';
    attached = undefined;
    await opened.disposeAsync();
    send();
  };
  started.defer(detach);
  const served = started.move();
  return {
    port: server.port,
    otlpPort: receiver.port,
    signals,
    attach: (system) => {
      opened = new AsyncDisposableStack();
      const books = opened.use(openBooks(() => openDatabases(system, checkTimeoutMs), onChange));
      const load = opened.use(startLoad(system, books.acknowledge));
      const trouble = opened.use(startTrouble(system.parts, onChange));
      attached = { system, books, load, trouble };
      phase = 'running';
      send();
    },
    detach,
    [Symbol.asyncDispose]: () => served.disposeAsync(),
  };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new HttpError(400, `${name} must be a number`);
}
