import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { createAlarm } from './wakeable-sleep.ts';

export interface Notices {
  /** Tells the other replicas that something has changed. */
  announce(): void;
  close(): Promise<void>;
}

/** Between two announcements: those that come meanwhile are one. */
const pauseMs = 10;
/** Until a connection that was lost is tried again. */
const retryMs = 1000;

/**
 * Wakes replicas with LISTEN and NOTIFY. A notice only says that it is worth looking, and may be lost.
 *
 * It is not sent in the transaction of the change: transactions that NOTIFY commit one after the other, in the whole
 * database, because notices must come in the order of the commits.
 */
export function startNotices(options: {
  readonly pool: Pool;
  readonly channel: string;
  /** Hears of the notices of others. */
  readonly onNotice: () => void;
  readonly onError: (error: unknown) => void;
}): Notices {
  const { pool, channel, onNotice, onError } = options;
  const self = randomUUID();
  const changes = createAlarm();
  const closing = new AbortController();
  let isChanged = false;

  const announceAll = async () => {
    while (!closing.signal.aborted) {
      await changes.sleep(retryMs);
      if (!isChanged) continue;
      isChanged = false;
      // Nobody waits for it: the others look by themselves before long.
      await pool.query('SELECT pg_notify($1, $2)', [channel, self]).catch(onError);
      await sleep(pauseMs);
    }
  };

  const listenOnce = async () => {
    const client = await pool.connect();
    const lost = untilLost(client, closing.signal);
    // Lost before anybody waits for that: LISTEN fails of it too, and an error that nobody awaits ends the process.
    lost.catch(() => {});
    try {
      client.on('notification', ({ payload }) => {
        if (payload !== self) onNotice();
      });
      await client.query(`LISTEN ${channel}`);
      // What was announced while nobody listened.
      onNotice();
      await lost;
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
        await sleep(retryMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  const ended = Promise.all([announceAll(), listen()]);
  return {
    announce: () => {
      isChanged = true;
      changes.ring();
    },
    close: async () => {
      closing.abort();
      changes.ring();
      await ended;
    },
  };
}

/** Rejects when the connection is lost, resolves when it is no longer wanted. */
async function untilLost(client: pg.PoolClient, unwanted: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.on('error', reject);
  client.on('end', () => reject(new Error('the connection that listens was closed')));
  if (unwanted.aborted) resolve();
  unwanted.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
