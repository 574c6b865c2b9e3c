import { connectivityState, type experimental } from '@grpc/grpc-js';
import { CountedSubchannel } from './counted-subchannel.ts';
import { hasRoom, isQuiet, usedOf } from './reset-budget.ts';

/** Connections to a replica beside the one that its balancing policy keeps. */
export interface SpareConnections {
  /** The connection for a call; undefined while one is being opened for it. */
  choose(regular: CountedSubchannel): CountedSubchannel | undefined;
  /** Gives up all spare connections for good. Calls on them go on. */
  close(): void;
}

export interface SpareConnectionsOptions {
  /** Makes the connection of that number. Clients that ask for the same one share it. */
  readonly open: (number: number) => experimental.SubchannelInterface;
  /** Called when the calls that wait for a connection should choose again. */
  readonly onChange: () => void;
}

interface Spare {
  readonly subchannel: CountedSubchannel;
  readonly release: () => void;
}

/** Spares that are kept for new calls. The oldest makes room for one more, and is closed when its calls have ended. */
const maxSpares = 7;

/** Time that calls wait for a connection, and time until the next one after it failed. */
const maxConnectMs = 1000;

/**
 * Spreads calls over several connections before one has more of them than a server permits to reset. A client whose
 * calls end by deadline or cancel would otherwise lose the connection, and with it calls that have nothing to do with
 * them. When the regular connection is quiet again, the spares are given up.
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
    const subchannel = new CountedSubchannel(open(++opened));
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
      if (spares.length > 0 && isQuiet(regular.budget, nowMs)) releaseAll();
      return regular;
    }
    for (;;) {
      const ready = spares.map(({ subchannel }) => subchannel).filter(isReady);
      const roomy = ready.find(({ budget }) => hasRoom(budget, nowMs));
      if (roomy) return roomy;
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
