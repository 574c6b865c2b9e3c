import type { Pool } from './pool.ts';

/**
 * A secret from the table `service_keys`, which a service's first migration fills: all replicas share it, and nobody
 * has to configure it.
 */
export async function readServiceKey(pool: Pool, name: string): Promise<Uint8Array> {
  const { rows } = await pool.query<{ secret: Uint8Array }>(
    'SELECT secret FROM service_keys WHERE name = $1',
    [name],
  );
  if (!rows[0]) throw new Error(`the table service_keys holds no ${name}: the migrations write it`);
  return rows[0].secret;
}
