import { queryOnce } from '@acme/postgres/testing';
import { fillTable } from './fill-table.ts';

export interface Filling {
  readonly orderCount: number;
  readonly customerId: string;
  /** Number of this customer's orders. */
  readonly ofCustomer: number;
  /** Number of the customers of all other orders, which are `customer-0` and so on. Default: 1,000. */
  readonly otherCustomers?: number;
  /** Age of the newest order, in days. Default: 0. */
  readonly ageDays?: number;
}

const lines = `'[{"sku": "BENCH", "quantity": 1}]'`;

/** Inserts settled orders into a database. Returns the ids of up to 2,000 orders of the customer. */
export async function fillOrders(
  databaseUrl: string,
  { orderCount, customerId, ofCustomer, otherCustomers = 1000, ageDays = 0 }: Filling,
): Promise<string[]> {
  const owner = `CASE WHEN n % ${Math.floor(orderCount / ofCustomer)} = 0 THEN '${customerId}'
                      ELSE 'customer-' || n % ${otherCustomers} END`;
  await fillTable(databaseUrl, {
    table: 'orders',
    rows: orderCount,
    ageDays,
    indexes: {
      drop: [
        'ALTER TABLE orders DROP CONSTRAINT orders_request_once',
        'DROP INDEX orders_by_customer, orders_by_customer_and_state',
      ],
      create: [
        'ALTER TABLE orders ADD CONSTRAINT orders_request_once UNIQUE (customer_id, request_id)',
        'CREATE INDEX orders_by_customer ON orders (customer_id, id DESC)',
        'CREATE INDEX orders_by_customer_and_state ON orders (customer_id, state, id DESC)',
      ],
    },
    columns: 'id, customer_id, request_id, fingerprint, lines, state, lines_bytes, create_time, update_time',
    select: `uuidv7(age), ${owner}, gen_random_uuid(), decode(repeat('00', 32), 'hex'), ${lines}, 'CONFIRMED',
             octet_length(${lines}), now() + age, now() + age`,
  });
  const rows = await queryOnce(
    databaseUrl,
    'SELECT id FROM orders WHERE customer_id = $1 ORDER BY random() LIMIT 2000',
    [customerId],
  );
  return rows.map(({ id }) => String(id));
}
