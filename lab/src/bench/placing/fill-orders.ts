import pg from 'pg';

export interface Filling {
  readonly orderCount: number;
  readonly customerId: string;
  /** Number of this customer's orders. */
  readonly ofCustomer: number;
  /** Number of the customers of all other orders, which are `customer-0` and so on. Default: 1,000. */
  readonly otherCustomers?: number;
}

/** Inserts settled orders into a database. Returns the ids of up to 2,000 orders of the customer. */
export async function fillOrders(
  databaseUrl: string,
  { orderCount, customerId, ofCustomer, otherCustomers = 1000 }: Filling,
): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state, create_time, update_time)
       SELECT uuidv7(make_interval(secs => (n - $1) / 10.0)), CASE WHEN n % ($1 / $3) = 0 THEN $2 ELSE 'customer-' || n % $4 END,
              gen_random_uuid(), '\\x00', '[{"sku": "BENCH", "quantity": 1}]', 'CONFIRMED',
              now() + make_interval(secs => (n - $1) / 10.0), now() + make_interval(secs => (n - $1) / 10.0)
       FROM generate_series(1, $1::int) AS n`,
      [orderCount, customerId, ofCustomer, otherCustomers],
    );
    await client.query('VACUUM ANALYZE orders');
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM orders WHERE customer_id = $1 ORDER BY random() LIMIT 2000`,
      [customerId],
    );
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}
