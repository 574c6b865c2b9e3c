/**
 * The JSON between the console's page and its server. Every answer is JSON, an error's a `Problem`. Times named `…AtMs` and
 * `startMs` are Unix times in milliseconds, of spans with fractions.
 */

/** `GET /api/session`: how the page calls the services. The page asks again before it expires. */
export interface Session {
  readonly services: readonly SessionService[];
  /**
   * Customers whose orders the page watches: those of the load, and the caller of the printed examples. A browser opens six
   * connections to an origin, and each watch occupies one, so they are three at most. The page places orders for the first.
   */
  readonly customers: readonly string[];
  readonly expiresAtMs: number;
}

export interface SessionService {
  /** `orders`, `inventory`. */
  readonly name: string;
  /** Base URL for connect-web, without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

/** `GET /api/live`: server-sent events, one `data:` a second, and one after each change. */
export interface Live {
  readonly atMs: number;
  /** `starting` until the services run. */
  readonly phase: 'starting' | 'running' | 'stopping';
  readonly load: Load;
  readonly books: Books;
  readonly parts: readonly Part[];
  /** Endpoint of the services' telemetry, if it is not the console: there are no signals, traces and logs here then. */
  readonly telemetryElsewhere: string | null;
}

export interface Load {
  /** Customers that arrive in a second. */
  readonly wantedPerSecond: number;
  /** Upper limit of `wantedPerSecond`. */
  readonly maxPerSecond: number;
  /** Customers that had an answer in the last second. */
  readonly placedPerSecond: number;
  /** Customers that have no answer yet. */
  readonly waiting: number;
  /** Time until a customer had an answer, in the last five seconds. Null if none had. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Whether every order asks for `hotSku`. */
  readonly hotItem: boolean;
  readonly hotSku: string;
}

/** What the databases say about the invariants. Counts are of the orders since the console was opened. */
export interface Books {
  /** Orders that were acknowledged to a customer. */
  readonly acknowledged: number;
  /** Acknowledged orders that do not exist. */
  readonly lost: number;
  /** SKUs with more units reserved than on hand, or than in orders, at any time. */
  readonly oversold: number;
  /** Orders that are PENDING or have a release outstanding, now. */
  readonly unsettled: number;
  /** Orders that contradict their acknowledgement, their reservation or their events. */
  readonly wrong: number;
  /** The first ten violations, a line each. */
  readonly problems: readonly string[];
  /** Time of the last check. Null before the first. */
  readonly checkedAtMs: number | null;
  /** Why the databases cannot be checked. Null if they can. */
  readonly cannotCheck: string | null;
  /** Orders by state, of every customer and all time, now. */
  readonly orders: OrderCounts;
}

export interface OrderCounts {
  readonly pending: number;
  readonly confirmed: number;
  readonly rejected: number;
  readonly cancelled: number;
}

/** A part of the system that can be broken: a service's process, the line between two services, the database. */
export interface Part {
  /** `service:orders`, `line:orders-inventory`, `database`. */
  readonly id: string;
  readonly kind: 'service' | 'line' | 'database';
  /** For people: `orders`, `orders → inventory`, `PostgreSQL`. */
  readonly name: string;
  readonly state: PartState;
  /** When the part entered the state. */
  readonly sinceMs: number;
  /** State of each circuit breaker of a service, by its name. */
  readonly breakers?: Readonly<Record<string, BreakerState>>;
  /** What can be done now. */
  readonly actions: readonly Action[];
  /** When the console undoes the trouble by itself. Null if there is no trouble, or it lasts until `undo`. */
  readonly undoAtMs: number | null;
  /** Why the last action failed. Null if it did not. */
  readonly problem: string | null;
  /** Commands to paste, where the console cannot do it itself. */
  readonly commands?: readonly Command[];
}

export type PartState =
  | 'up'
  | 'not ready'
  | 'starting'
  | 'down'
  | 'paused'
  | 'cut'
  | 'delayed'
  | 'black-holed';

export type BreakerState = 'closed' | 'half-open' | 'open';

export type Action = 'kill' | 'stop' | 'pause' | 'restart' | 'cut' | 'delay' | 'black-hole' | 'undo';

export interface Command {
  readonly label: string;
  readonly command: string;
}

/** `POST /api/trouble` */
export interface TroubleRequest {
  readonly part: string;
  readonly action: Action;
  /** Time until the console undoes it. Null: it lasts until `undo`. */
  readonly forMs: number | null;
  /** Delay of each direction of a line, for `delay`. Default: 200 ms. */
  readonly delayMs?: number;
}

/** `POST /api/load`: what is absent stays. */
export interface LoadRequest {
  readonly perSecond?: number;
  readonly hotItem?: boolean;
}

/** `POST /api/acknowledged`: an order that the page placed or cancelled was acknowledged to it, which the books check. */
export interface AcknowledgedRequest {
  readonly customerId: string;
  readonly requestId: string;
  readonly orderId: string;
  readonly state: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';
  readonly units: Readonly<Record<string, number>>;
}

/** An answer with a 4xx or 5xx status. */
export interface Problem {
  readonly message: string;
}

/** `GET /api/signals?since=MS`: the points after `since`, of the last ten minutes at most. */
export interface Signals {
  /** Interval between two points. */
  readonly intervalMs: number;
  readonly services: readonly ServiceSignals[];
}

export interface ServiceSignals {
  readonly service: string;
  readonly methods: readonly MethodSignals[];
  readonly saturation: readonly SaturationPoint[];
}

export interface MethodSignals {
  /** `orders.v1.OrderService/PlaceOrder` */
  readonly method: string;
  readonly points: readonly MethodPoint[];
}

export interface MethodPoint {
  readonly atMs: number;
  readonly perSecond: number;
  /** Calls that ended with another code than OK, by code. */
  readonly errorsPerSecond: Readonly<Record<string, number>>;
  /** Percentiles of the calls' durations, by the histogram's buckets. Null without calls. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface SaturationPoint {
  readonly atMs: number;
  /** Unary calls in flight, and their adaptive limit. */
  readonly inFlight: number;
  readonly limit: number;
  readonly streams: number;
  readonly rejectedPerSecond: number;
  /** Connections of all pools to the database, and calls that wait for one. */
  readonly poolUsed: number;
  readonly poolMax: number;
  readonly poolPending: number;
  /** From 0 to 1. */
  readonly eventLoopUtilization: number;
  readonly eventLoopP99Ms: number;
  /** Size of the heap in use. */
  readonly memoryBytes?: number;
}

/** `GET /api/traces?order=&method=&code=&service=&minMs=&limit=`: newest first. */
export interface TraceList {
  /** Number of traces that are kept. */
  readonly kept: number;
  readonly traces: readonly TraceSummary[];
}

export interface TraceSummary {
  readonly id: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** Service and name of the first span. */
  readonly service: string;
  readonly name: string;
  /** Status code of the first span's call. Empty for a span that is not one. */
  readonly code: string;
  readonly orderId: string | null;
  readonly spans: number;
  readonly hasError: boolean;
}

/** `GET /api/traces/ID` */
export interface Trace {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly logs: readonly LogLine[];
}

export interface Span {
  readonly id: string;
  readonly parentId: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly startMs: number;
  readonly durationMs: number;
  /** Status code of a call. */
  readonly code: string | null;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Ids of linked traces. */
  readonly links: readonly string[];
}

export interface LogLine {
  readonly atMs: number;
  readonly service: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly spanId: string | null;
}
