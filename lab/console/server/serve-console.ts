import { type DatabaseUrls, openDatabases } from '@acme/lab/harness/check-databases';
import type { PairAccess } from '@acme/lab/pair/pair';
import type { Live } from '../api.ts';
import { type Attached, apiRoutes } from './api-routes.ts';
import { noBooks, openBooks } from './books/books.ts';
import { type ConsoleServerOptions, startConsoleServer } from './http/console-server.ts';
import { createEventStream } from './http/event-stream.ts';
import { HttpError } from './http/http-error.ts';
import { noLoad, startLoad } from './load/load.ts';
import { pageFile } from './page-bundle.ts';
import { createLogStore } from './telemetry/log-store.ts';
import { startOtlpReceiver } from './telemetry/otlp-receiver.ts';
import { createSignalStore, type SignalStore } from './telemetry/signals.ts';
import { createTraceStore } from './telemetry/trace-store.ts';
import type { Breakable } from './trouble/breakable.ts';
import { startTrouble } from './trouble/trouble.ts';

/** The running services, as the console uses them. */
export interface System extends PairAccess, DatabaseUrls {
  /** Base URLs of the services for browsers, by service name. */
  readonly webUrls: Readonly<Record<string, string>>;
  readonly parts: readonly Breakable[];
}

export interface ServeOptions extends Pick<ConsoleServerOptions, 'key' | 'onCall'> {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** The port that browsers use, where it is another. */
  readonly publicPort?: number;
  /** Port of the OTLP receiver; 0 is any free port. */
  readonly otlpPort: number;
  /** Name of this machine for the services, besides those of loopback. */
  readonly hostName?: string;
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

/** Maximum duration of a statement of the checks. The sum of all reservations takes 3 s for a million. */
const checkTimeoutMs = 300_000;

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
      hostName: options.hostName,
      onTraces: traces.add,
      onMetrics: signals.add,
      onLogs: logs.add,
    }),
  );
  let phase: Live['phase'] = 'starting';
  let attached: Attached | undefined;
  let opened = new AsyncDisposableStack();

  const live = (): Live => ({
    atMs: Date.now(),
    phase,
    load: attached?.load.load ?? noLoad,
    books: attached?.books.books ?? noBooks,
    parts: attached?.trouble.parts ?? [],
    telemetryElsewhere: options.telemetryElsewhere,
  });
  const events = started.use(createEventStream(live));
  const requireAttached = () => {
    if (attached) return attached;
    throw new HttpError(503, phase === 'starting' ? 'the services start' : 'the services stop');
  };
  const server = started.use(
    await startConsoleServer({
      ...options,
      pageFile,
      onLive: events.add,
      routes: apiRoutes({ traces, logs, signals, attached: requireAttached, onChange: events.changed }),
    }),
  );
  const detach = async () => {
    phase = 'stopping';
    attached = undefined;
    events.changed();
    await opened.disposeAsync();
  };
  started.defer(detach);
  const served = started.move();
  return {
    port: server.port,
    otlpPort: receiver.port,
    signals,
    attach: (system) => {
      opened = new AsyncDisposableStack();
      const books = opened.use(openBooks(() => openDatabases(system, checkTimeoutMs), events.changed));
      const load = opened.use(startLoad(system, books.acknowledge));
      const trouble = opened.use(startTrouble(system.parts, events.changed));
      attached = { access: system, books, load, trouble };
      phase = 'running';
      events.changed();
    },
    detach,
    [Symbol.asyncDispose]: () => served.disposeAsync(),
  };
}
