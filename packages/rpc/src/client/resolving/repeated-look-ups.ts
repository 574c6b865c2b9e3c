import { isIPv6 } from 'node:net';
import { getOrInsert } from '../../node-24/get-or-insert.ts';
import type { Resolution, Resolve, ResolverCallbacks } from './channel-resolver.ts';

export interface RepeatedLookUpsOptions {
  /** Returns the IP addresses of a host. */
  readonly lookUp: (host: string) => Promise<readonly string[]>;
  /** Average time between the end of a look-up and the next one of the same host. */
  readonly intervalMs: number;
  /** Returns a number from 0 to less than 1, for jitter. */
  readonly random: () => number;
}

/** Spread of the interval to both sides, so that the processes of a deployment do not ask together. */
const jitter = 0.2;

/** Minimum time between the starts of two look-ups of a host. */
const minGapMs = 1000;

/** Longest interval after failures in a row. */
const maxBackoffMs = 30_000;

/** The look-ups of a host for all clients that use it. */
interface Host {
  readonly add: (client: HostClient) => Resolution;
}

interface HostClient extends Pick<ResolverCallbacks, 'onAddresses' | 'onError'> {
  readonly port: string;
}

/**
 * Returns a resolver of `host:port` that looks the host up at once and then again and again, while any client uses it. The
 * clients of a host share its look-ups, of which one runs at a time: the system's resolver occupies a thread of libuv's pool
 * for each, for many seconds when the DNS server does not answer. A failed look-up leaves the clients their addresses, and
 * doubles the time to the next one, up to 30 s.
 */
export function repeatedLookUps(options: RepeatedLookUpsOptions): Resolve {
  const hosts = new Map<string, Host>();
  return (path, { onAddresses, onError }) => {
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(path) ?? [];
    const { add } = getOrInsert(hosts, host, () => createHost(host, options, () => hosts.delete(host)));
    return add({ port, onAddresses, onError });
  };
}

/** @param onUnused Called when the last client has left, and no look-up is running. */
function createHost(
  host: string,
  { lookUp, intervalMs, random }: RepeatedLookUpsOptions,
  onUnused: () => void,
): Host {
  const clients = new Set<HostClient>();
  let addresses: readonly string[] | undefined;
  let failures = 0;
  let isLookingUp = false;
  let lastStartMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const report = ({ port, onAddresses }: HostClient) =>
    onAddresses((addresses ?? []).map((each) => `${isIPv6(each) ? `[${each}]` : each}:${port}`));
  const run = async () => {
    isLookingUp = true;
    lastStartMs = performance.now();
    try {
      const found = [...new Set(await lookUp(host))].sort();
      failures = 0;
      // A resolver rotates its answers. Every report makes the balancing policies start anew.
      if (found.join() !== addresses?.join()) {
        addresses = found;
        for (const client of clients) report(client);
      }
    } catch (error) {
      failures++;
      for (const { onError } of clients) onError(error);
    }
    isLookingUp = false;
    if (clients.size === 0) return onUnused();
    const backoffMs = Math.min(intervalMs * 2 ** failures, Math.max(intervalMs, maxBackoffMs));
    runIn(backoffMs * (1 - jitter + 2 * jitter * random()));
  };
  const runIn = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(run, delayMs).unref();
  };
  const runSoon = () => {
    const waitMs = lastStartMs + minGapMs - performance.now();
    if (isLookingUp) return;
    if (waitMs > 0) runIn(waitMs);
    else run();
  };
  const add = (client: HostClient): Resolution => {
    clients.add(client);
    if (addresses) report(client);
    else runSoon();
    return {
      refresh: runSoon,
      close: () => {
        clients.delete(client);
        if (clients.size > 0) return;
        clearTimeout(timer);
        if (!isLookingUp) onUnused();
      },
    };
  };
  return { add };
}
