import { connectivityState, type experimental } from '@grpc/grpc-js';
import type { CountedSubchannel } from './counted-subchannel.ts';
import { hasRoom, isHalfFree, usedOf } from './reset-budget.ts';

/** Additional connections to a replica, besides the one that its balancing policy keeps. */
export interface SpareConnections {
  /** Returns the connection for a call, or undefined while one is being opened for it. */
  choose(regular: CountedSubchannel): CountedSubchannel | undefined;
  /** Releases all spare connections. Calls on them continue. */
  close(): void;
}

export interface SpareConnectionsOptions {
  /** Opens the connection of that number. Clients share a connection by its number. */
  readonly open: (number: number) => CountedSubchannel;
  /** Called when queued calls should choose again. */
  readonly onChange: () => void;
}

interface Spare {
  readonly subchannel: CountedSubchannel;
  readonly release: () => void;
}

/** Maximum number of spares for new calls. Beyond it the oldest is released, and closed when its calls have ended. */
const maxSpares = 7;

/** Time that calls wait for a connection, and pause after a failed one. */
const maxConnectMs = 1000;

/**
 * Spreads calls over several connections before one of them has more calls than a server permits to reset. A client whose
 * calls expire or are cancelled would otherwise lose the connection with all other calls on it. The spares are released
 * when the regular connection is half free again.
 */
export function createSpareConnections({ open, onChange }: SpareConnectionsOptions): SpareConnections {
  const spares: Spare[] = [];
  let opened = 0;
  let retryAfterMs = 0;
  let isClosed = false;

  const remove = (spare: Spare) => {
    const index = spares.indexOf(spare);
    if (index < 0) return;
    spares.splice(index, 1);
    spare.release();
  };
  const openSpare = () => {
    const subchannel = open(++opened);
    const fail = () => {
      retryAfterMs = performance.now() + maxConnectMs;
      remove(spare);
      onChange();
    };
    const timer = setTimeout(fail, maxConnectMs).unref();
    const onState: experimental.ConnectivityStateListener = (_subchannel, _previous, state) => {
      if (state === connectivityState.READY) {
        clearTimeout(timer);
        onChange();
      } else if (state === connectivityState.TRANSIENT_FAILURE) fail();
      else if (state === connectivityState.IDLE) remove(spare);
    };
    const spare: Spare = {
      subchannel,
      release: () => {
        clearTimeout(timer);
        subchannel.removeConnectivityStateListener(onState);
        subchannel.unref();
      },
    };
    subchannel.ref();
    subchannel.addConnectivityStateListener(onState);
    if (isReady(subchannel)) clearTimeout(timer);
    else subchannel.startConnecting();
    spares.push(spare);
  };
  const releaseAll = () => {
    for (const spare of spares.splice(0)) spare.release();
  };

  const choose = (regular: CountedSubchannel) => {
    const nowMs = performance.now();
    if (isClosed || hasRoom(regular.budget, nowMs)) {
      if (spares.length > 0 && isHalfFree(regular.budget, nowMs)) releaseAll();
      return regular;
    }
    for (;;) {
      const ready = spares.map(({ subchannel }) => subchannel).filter(isReady);
      const withRoom = ready.find(({ budget }) => hasRoom(budget, nowMs));
      if (withRoom) return withRoom;
      if (ready.length < spares.length) return undefined;
      if (nowMs < retryAfterMs) return leastUsed([regular, ...ready], nowMs);
      const [oldest] = spares;
      if (oldest && spares.length === maxSpares) remove(oldest);
      openSpare();
    }
  };
  const close = () => {
    isClosed = true;
    releaseAll();
  };
  return { choose, close };
}

function isReady(subchannel: CountedSubchannel): boolean {
  return subchannel.getConnectivityState() === connectivityState.READY;
}

function leastUsed(
  connections: [CountedSubchannel, ...CountedSubchannel[]],
  nowMs: number,
): CountedSubchannel {
  return connections.reduce((least, each) =>
    usedOf(each.budget, nowMs) < usedOf(least.budget, nowMs) ? each : least,
  );
}
