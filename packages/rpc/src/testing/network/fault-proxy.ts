import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createLane, type Faults, type Lane } from './fault-lane.ts';

export interface FaultProxyOptions {
  /** Address of the server: `127.0.0.1:50052`, `[::1]:50052`, or its parts. */
  readonly target: string | { readonly host: string; readonly port: number };
  /** Address to listen on; a free port of 127.0.0.1 when absent. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** Source of jitter, from 0 to 1. */
  readonly random?: () => number;
}

/** `upstream` is the direction to the server, `downstream` that to the client. */
export type Direction = 'upstream' | 'downstream';

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT`, for clients. */
  readonly target: string;
  /** Replaces the faults of a direction, for open and new connections. `{}` means no faults. */
  inject(direction: Direction, faults: Faults): void;
  /** Resets every new connection until `heal`. Open connections stay. */
  refuseConnections(): void;
  /** Resets every open connection on both sides. New connections are accepted. */
  severAll(): void;
  /** Ends all faults. Bytes that were held back are sent on. */
  heal(): void;
  readonly counters: FaultProxyCounters;
}

export interface FaultProxyCounters {
  /** Connections accepted since the start. */
  readonly connections: number;
  /** Connections open now. */
  readonly open: number;
  readonly refused: number;
  /** Bytes passed and dropped by direction, of all connections together. */
  readonly passed: Readonly<Record<Direction, number>>;
  readonly dropped: Readonly<Record<Direction, number>>;
}

/**
 * Starts a TCP proxy that injects network faults between a client and its server. Faults can be changed while connections
 * are open. The proxy buffers up to 64 KiB per connection and direction, or 1 MiB with a delay, and stops reading beyond
 * that.
 *
 *     await using proxy = await startFaultProxy({ target: server.target });
 *     using client = createClient(EchoService, { target: proxy.target });
 *     proxy.inject('downstream', { drop: true }); // requests arrive, answers do not
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { random = Math.random, listen = {} } = options;
  const target = typeof options.target === 'string' ? hostAndPort(options.target) : options.target;
  const faults: Record<Direction, Faults> = { upstream: {}, downstream: {} };
  const passed = { upstream: 0, downstream: 0 };
  const dropped = { upstream: 0, downstream: 0 };
  const pairs = new Set<{ sever(): void; lanes: Readonly<Record<Direction, Lane>> }>();
  let connections = 0;
  let refused = 0;
  let isRefusing = false;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (isRefusing) {
      refused++;
      client.resetAndDestroy();
      return;
    }
    connections++;
    join(client, connect({ ...target, allowHalfOpen: true, noDelay: true }));
  });
  const join = (client: Socket, upstream: Socket) => {
    const sever = () => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    const lane = (from: Socket, to: Socket, direction: Direction) =>
      createLane(from, to, {
        faults: () => faults[direction],
        random,
        sever,
        onPassed: (bytes) => {
          passed[direction] += bytes;
        },
        onDropped: (bytes) => {
          dropped[direction] += bytes;
        },
      });
    const pair = {
      sever,
      lanes: {
        upstream: lane(client, upstream, 'upstream'),
        downstream: lane(upstream, client, 'downstream'),
      },
    };
    pairs.add(pair);
    for (const socket of [client, upstream]) {
      // A reset on one side is a reset on the other.
      socket.on('error', sever);
      socket.on('close', () => {
        if (client.closed && upstream.closed) pairs.delete(pair);
      });
    }
  };
  const inject = (direction: Direction, injected: Faults) => {
    faults[direction] = injected;
    for (const { lanes } of [...pairs]) lanes[direction].wake();
  };
  const severAll = () => {
    for (const { sever } of pairs) sever();
  };

  const host = listen.host ?? '127.0.0.1';
  await once(server.listen(listen.port ?? 0, host), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    target: `${host}:${port}`,
    inject,
    refuseConnections: () => {
      isRefusing = true;
    },
    severAll,
    heal: () => {
      isRefusing = false;
      inject('upstream', {});
      inject('downstream', {});
    },
    get counters() {
      return { connections, open: pairs.size, refused, passed: { ...passed }, dropped: { ...dropped } };
    },
    [Symbol.asyncDispose]: async () => {
      severAll();
      await server[Symbol.asyncDispose]();
    },
  };
}

function hostAndPort(target: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${target}`);
  if (!hostname || !port) throw new Error(`${target} is not a target: expected host:port`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
