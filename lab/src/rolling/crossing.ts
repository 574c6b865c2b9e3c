import type { Cluster } from '../cluster/cluster.ts';
import { type Customers, openCustomers } from '../harness/customers.ts';
import type { Outcome, Purchase } from '../harness/history.ts';

/** Less than a customer's orders, so that a list has several pages. */
const pageSize = 5;
/** The longest deadlines that the methods permit: calls are made once here, on a busy machine too. */
const patient = { deadlineMs: Number.POSITIVE_INFINITY };

/**
 * Places an order at each orders replica, which the other one returns and cancels. Returns the calls that failed, a line
 * each.
 */
export async function crossingErrors(
  cluster: Cluster,
  customers: Customers,
  purchase: () => Purchase,
): Promise<string[]> {
  using replicas = connectEach(cluster, customers);
  const [first, second] = replicas.customers;
  if (!first || !second) throw new Error('the cluster has one orders replica');
  const errors: string[] = [];
  const expectOk = (call: string, outcome: Outcome) => {
    if (outcome.kind !== 'ok') errors.push(`${call}: ${JSON.stringify(outcome)}`);
    return outcome.kind === 'ok' ? outcome.orderId : '';
  };
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const order = purchase();
    const id = expectOk('an order at one replica', await one.place(order, patient));
    expectOk('the same request at the other replica', await other.place(order, patient));
    expectOk('the order, read at the other replica', await other.get(order, id, patient));
    expectOk('the order, cancelled at the other replica', await other.cancel(order, id, patient));
  }
  return errors;
}

/** Returns the differences between the lists of customers, whose pages replicas return in turn, and the database. */
export async function listErrors(
  cluster: Cluster,
  customers: Customers,
  customerIds: readonly string[],
): Promise<string[]> {
  using replicas = connectEach(cluster, customers);
  const errors: string[] = [];
  for (const customerId of customerIds) {
    const { rows } = await cluster.ordersDatabase.query<{ id: string }>(
      'SELECT id FROM orders WHERE customer_id = $1 ORDER BY id DESC',
      [customerId],
    );
    const stored = rows.map(({ id }) => id).join();
    const listed = await list(replicas.customers, customerId).catch((error: Error) => error.message);
    if (listed !== stored)
      errors.push(`${customerId} lists the orders ${listed}, and the database has ${stored}`);
  }
  return errors;
}

async function list(replicas: readonly Customers[], customerId: string): Promise<string> {
  const ids: string[] = [];
  let pageToken = '';
  for (let page = 0; page === 0 || pageToken !== ''; page++) {
    const replica = replicas[page % replicas.length];
    const response = await replica?.client.listOrders({ customerId, pageSize, pageToken }, patient);
    ids.push(...(response?.orders.map(({ id }) => id) ?? []));
    pageToken = response?.nextPageToken ?? '';
  }
  return ids.join();
}

/** Opens a client of each orders replica. A client of all of them prefers those that it has been connected to. */
function connectEach(
  { orders }: Cluster,
  { options }: Customers,
): Disposable & { readonly customers: readonly Customers[] } {
  const opened = new DisposableStack();
  const customers = orders.map(({ front }) =>
    opened.use(openCustomers({ ...options, target: front.target })),
  );
  return { customers, [Symbol.dispose]: () => opened.dispose() };
}
