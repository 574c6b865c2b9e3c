import type { Order, OrderLine } from '@acme/orders/order/order';
import type { Random } from '../harness/seeded-random.ts';
import type { Network, Process } from './network.ts';
import type { OrdersProcess } from './orders-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface TrafficOptions {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly random: Random;
  /** SKUs of all cells. */
  readonly skus: readonly string[];
  /** Returns the replica that an attempt of a customer is sent to. */
  readonly replicaFor: (customerId: string) => OrdersProcess;
  /** Called with each order that a customer receives. */
  readonly onAcknowledged: (order: Order) => void;
}

const customerCount = 5;
/** Customers place and cancel their orders within this time. */
const trafficMs = 5000;
const deadlineMs = 2000;

/** Starts customers that place orders, repeat their requests, and cancel some. */
export function startTraffic({
  time,
  network,
  random,
  skus,
  replicaFor,
  onAcknowledged,
}: TrafficOptions): void {
  const customers: Process = { isUp: true, crashes: 0 };
  const send = async (customerId: string, serve: (replica: OrdersProcess) => Promise<Order>) => {
    const replica = replicaFor(customerId);
    const to = replica.process;
    try {
      const order = await network.call({ from: customers, to, deadlineMs, serve: () => serve(replica) });
      onAcknowledged(order);
      return order;
    } catch {
      return undefined;
    }
  };
  const shop = async () => {
    const customerId = `customer-${random.int(1, customerCount)}`;
    const request = { customerId, requestId: random.uuid(), lines: randomLines(skus, random) };
    const place = () => send(customerId, (replica) => replica.place(request));
    let order = await place();
    // A customer repeats a request that has failed, and now and then one that has not.
    for (let repeats = 0; repeats < 3 && (!order || random.chance(0.2)); repeats++)
      order = (await place()) ?? order;
    if (!order || random.chance(0.6)) return;
    const { id } = order;
    time.after(random.int(0, trafficMs / 2), () => void send(customerId, (replica) => replica.cancel(id)));
  };
  const count = random.int(4, 10);
  for (let each = 0; each < count; each++) time.after(random.int(0, trafficMs), () => void shop());
}

/** Returns lines of one to four SKUs, which are usually in several cells. */
function randomLines(skus: readonly string[], random: Random): OrderLine[] {
  const chosen = new Set(Array.from({ length: random.int(1, 4) }, () => random.pick(skus)));
  return [...chosen].map((sku) => ({ sku, quantity: random.int(1, 2) }));
}
