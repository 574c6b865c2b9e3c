import type { EncryptionKeys } from '@acme/rpc/tokens/encrypted-cursor';
import type { Pool } from '../pool/pool.ts';

/** The secrets of one name in the table `service_keys`, which all replicas of a service share. */
export interface ServiceKeys extends EncryptionKeys {
  /** Reads the table now, or joins a read that is under way. Never rejects. */
  refresh(): Promise<void>;
  /** Stops reading, and waits for a read that is under way. */
  close(): Promise<void>;
}

const refreshMs = 20_000;
/** A key seals once it is this old: by then every replica has read it, and opens what another one seals. */
const activationMs = 60_000;
/** More rows are ignored, the oldest first. */
const maxKeys = 16;

interface KeyRow {
  secret: Uint8Array;
  isActive: boolean;
}

/**
 * Reads the secrets, and reads them again every 20 s: an operator rotates a key by an INSERT (docs/keys.md). The newest
 * key of at least a minute seals, and all open.
 *
 * @param onError Called when the table cannot be read. The keys that were read before stay in use.
 * @throws Error if the table cannot be read at the start, or has no such key.
 */
export async function openServiceKeys(
  pool: Pool,
  name: string,
  onError: (error: unknown) => void,
): Promise<ServiceKeys> {
  let keys = await readKeys(pool, name);
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let isClosed = false;
  const refresh = () => {
    reading ??= readKeys(pool, name)
      .then((fresh) => {
        keys = fresh;
      }, onError)
      .finally(() => {
        reading = undefined;
        schedule();
      });
    return reading;
  };
  const schedule = () => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(refresh, refreshMs).unref();
  };
  schedule();
  return {
    get active() {
      return keys.active;
    },
    get all() {
      return keys.all;
    },
    get isStale() {
      return performance.now() - keys.readAtMs >= activationMs;
    },
    refresh,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await reading;
    },
  };
}

async function readKeys(pool: Pool, name: string) {
  const readAtMs = performance.now();
  const { rows } = await pool.query<KeyRow>({
    name: 'read-service-keys',
    // By the database's clock, which the replicas share.
    text: `SELECT secret, create_time <= now() - $2 * interval '1 ms' AS "isActive"
           FROM service_keys WHERE name = $1 ORDER BY create_time DESC LIMIT $3`,
    values: [name, activationMs, maxKeys],
  });
  const active = rows.find(({ isActive }) => isActive) ?? rows.at(-1);
  if (!active) throw new Error(`the table service_keys holds no ${name}: the migrations write it`);
  return { active: active.secret, all: rows.map(({ secret }) => secret), readAtMs };
}
