import { openPool, type Pool, type PoolOptions } from '../pool/pool.ts';

/** Maximum wait for a connection in ms. A machine that runs other tests too may be slow to open one. */
const maxWaitMs = 30_000;

/**
 * Opens a pool for tests, which is named test. It waits longer for a connection than that of a service. Disposing ends it,
 * and waits for its connections to be released.
 */
export function openTestPool(options: Pick<PoolOptions, 'url' | 'max' | 'settings'>): Pool & AsyncDisposable {
  const pool = openPool({ ...options, maxWaitMs, applicationName: 'test', onError: () => {} });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}
