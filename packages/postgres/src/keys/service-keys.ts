import type { EncryptionKeys } from '@acme/rpc/tokens';
import type { Pool } from '../pool/pool.ts';

/** The keys of one name in the table `service_keys`, which all replicas of a service share. */
export interface ServiceKeys extends EncryptionKeys {
  /** Reads the table now, or joins a running read. Never rejects. */
  refresh(): Promise<void>;
  /** Stops reading, and waits for a running read. */
  close(): Promise<void>;
}

const refreshMs = 20_000;
/** Age at which a key encrypts new tokens: by then every replica has read it, and decrypts the tokens of the others. */
const activationMs = 60_000;
/** Maximum number of keys. The oldest beyond it are ignored. */
const maxKeys = 16;

interface KeyRow {
  secret: Uint8Array;
  isActive: boolean;
}

/**
 * Reads the keys, and reads them again every 20 s, because an operator rotates a key by an INSERT (docs/keys.md). The newest
 * key that is at least a minute old encrypts, and all keys decrypt.
 *
 * @param onError Called when the table cannot be read. The keys of the last read stay in use.
 * @throws Error when the first read fails, or finds no key.
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
    // The database's clock decides, because the replicas' clocks differ.
    text: `SELECT secret, create_time <= now() - $2 * interval '1 ms' AS "isActive"
           FROM service_keys WHERE name = $1 ORDER BY create_time DESC LIMIT $3`,
    values: [name, activationMs, maxKeys],
  });
  const active = rows.find(({ isActive }) => isActive) ?? rows.at(-1);
  if (!active) throw new Error(`the table service_keys has no row ${name}: a migration inserts it`);
  return { active: active.secret, all: rows.map(({ secret }) => secret), readAtMs };
}
