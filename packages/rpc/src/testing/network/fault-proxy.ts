import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createLane, type Faults, type Lane } from './fault-lane.ts';

export interface FaultProxyOptions {
  /** Where the connections go: `127.0.0.1:50052`, `[::1]:50052`, or its parts. */
  readonly target: string | { readonly host: string; readonly port: number };
  /** Where to listen; a free port of 127.0.0.1 when absent. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
}

/** `upstream` is what goes to the server, `downstream` what comes back to the client. */
export type Direction = 'upstream' | 'downstream';

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT`, for clients. */
  readonly target: string;
  /** Replaces the faults of a direction, at once, of open connections and of those to come: `{}` is none. */
  inject(direction: Direction, faults: Faults): void;
  /** Resets every new connection as soon as it is made, until `heal`. Those that are open stay. */
  refuseConnections(): void;
  /** Resets every open connection, on both sides. New ones are taken. */
  severAll(): void;
  /** Ends all faults. What was held back goes on its way; what was dropped or severed is gone. */
  heal(): void;
  readonly counters: FaultProxyCounters;
}

export interface FaultProxyCounters {
  /** Taken since the start, and open now. */
  readonly connections: number;
  readonly open: number;
  readonly refused: number;
  /** Bytes passed on, and swallowed, in both directions' connections together. */
  readonly passed: Readonly<Record<Direction, number>>;
  readonly dropped: Readonly<Record<Direction, number>>;
}

/**
 * A TCP proxy between a client and its server that does to their connections what networks do. Faults can be changed
 * while connections are open. It holds some 64 KiB a direction of a connection, 1 MiB when they are delayed: for a side
 * that does not read, it does not read either.
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
  if (!hostname || !port) throw new Error(`a target is host:port, not ${target}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
