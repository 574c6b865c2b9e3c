import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { isThroughPooler, requireReadWrite } from '../pool/pooled-client.ts';
import { createWakeableSleep } from '../timing/wakeable-sleep.ts';

export interface Notifications {
  /** Notifies the other replicas of a change. Calls within `pauseMs` become one notification. */
  notify(): void;
  close(): Promise<void>;
}

/** Minimum pause between two notifications. */
const pauseMs = 10;
/** Delay before a lost connection is replaced. */
const retryMs = 1000;
/** Interval of the checks whether the listening connection still leads to a primary. */
const checkMs = 2000;

/**
 * Wakes replicas with LISTEN and NOTIFY. A notification says only that there may be new events, and may be lost.
 *
 * It is not sent in the transaction of the change. PostgreSQL serializes the commits of all transactions that NOTIFY in a
 * database, because notifications must arrive in the order of the commits.
 */
export function startNotifications(options: {
  readonly pool: Pool;
  /** Pool of one connection, which does not lead through a pooler. */
  readonly listeningPool: Pool;
  readonly channel: string;
  /** Called for a notification of another replica, and each time that listening begins. */
  readonly onNotification: () => void;
  readonly onError: (error: unknown) => void;
}): Notifications {
  const { pool, listeningPool, channel, onNotification, onError } = options;
  const self = randomUUID();
  const changes = createWakeableSleep();
  const closing = new AbortController();
  let isChanged = false;

  const sendAll = async () => {
    while (!closing.signal.aborted) {
      await changes.sleep(retryMs);
      if (!isChanged) continue;
      isChanged = false;
      // A failure needs no retry: the other replicas poll.
      await pool.query('SELECT pg_notify($1, $2)', [channel, self]).catch(onError);
      await sleep(pauseMs);
    }
  };

  const listenOnce = async () => {
    const client = await listeningPool.connect();
    const lost = lossOf(client);
    const ended = AbortSignal.any([lost, closing.signal]);
    try {
      if (isThroughPooler(client))
        throw new Error(
          'notifications do not pass a pooler: set DATABASE_DIRECT_URL to the URL of PostgreSQL itself',
        );
      client.on('notification', ({ payload }) => {
        if (payload !== self) onNotification();
      });
      await client.query(`LISTEN ${channel}`);
      // Notifications sent before LISTEN were not received.
      onNotification();
      for (;;) {
        await sleepUntil(ended, checkMs);
        lost.throwIfAborted();
        if (closing.signal.aborted) return;
        await requireReadWrite(client);
      }
    } finally {
      client.release(true);
    }
  };
  const listen = async () => {
    while (!closing.signal.aborted) {
      try {
        await listenOnce();
      } catch (error) {
        onError(error);
        await sleepUntil(closing.signal, retryMs);
      }
    }
  };

  const ended = Promise.all([sendAll(), listen()]);
  return {
    notify: () => {
      isChanged = true;
      changes.wake();
    },
    close: async () => {
      closing.abort();
      changes.wake();
      await ended;
    },
  };
}

/** Returns a signal that is aborted when the connection is lost. Its reason is the error. */
function lossOf(client: pg.PoolClient): AbortSignal {
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('the listening connection was closed')));
  return lost.signal;
}

/** Sleeps for the duration, or until `signal` is aborted. */
async function sleepUntil(signal: AbortSignal, durationMs: number): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => {});
}
