import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code, ConnectError } from '@connectrpc/connect';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { canCall } from '../data/live.ts';
import { orders } from '../data/orders.ts';
import { cancelOwn, isOwn } from '../data/own-orders.ts';
import { whileVisible } from '../data/visibility.ts';
import { fineTime, shortId } from '../widgets/format.ts';
import { Failure, Notice } from '../widgets/notice.tsx';
import { StateMark } from '../widgets/state-mark.tsx';
import { type Follower, followOrder } from './follow-order.ts';
import { eventsOf } from './order-events.ts';
import { OrderTimeline } from './order-timeline.tsx';

/** One order: its lines, its events, and where the time of its calls went. */
export function OrderPage({ id }: { readonly id: string }) {
  const order = useSignal<Order | null>(null);
  const failure = useSignal('');
  const follower: Follower = {
    take: (found) => {
      order.value = found;
      failure.value = '';
    },
    fail: (error) => {
      failure.value = messageOf(error);
    },
  };
  useEffect(() => whileVisible((hidden) => followOrder(id, follower, hidden)), [id]);
  return (
    <div class="order">
      <div class="page-title">
        <a href="#/overview">Overview</a>
        <h2>Order {shortId(id)}</h2>
        <p>{id}</p>
      </div>
      <Failure message={failure.value} />
      {order.value ? (
        <Facts order={order.value} />
      ) : (
        failure.value === '' && (
          <Notice>{canCall('orders') ? 'Reads the order.' : 'orders is not up.'}</Notice>
        )
      )}
      <OrderTimeline orderId={id} />
    </div>
  );
}

function messageOf(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  if (code === Code.NotFound) return 'There is no such order.';
  if (code === Code.InvalidArgument) return 'This is not the id of an order.';
  return rawMessage;
}

function Facts({ order }: { readonly order: Order }) {
  return (
    <div class="facts">
      <section aria-labelledby="lines-title">
        <h3 id="lines-title">Lines</h3>
        <table>
          <tbody>
            {order.lines.map(({ sku, quantity }) => (
              <tr key={sku}>
                <td class="number">{quantity} ×</td>
                <td>{sku}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-labelledby="events-title">
        <h3 id="events-title">Events</h3>
        <ol class="events">
          {eventsOf(order, orders.get(order.id)).map(({ state, atMs }) => (
            <li key={state}>
              <time>{fineTime(atMs)}</time> <StateMark state={state} />{' '}
              {state === 'rejected' && <span class="tag">{order.rejectReason}</span>}
            </li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="customer-title">
        <h3 id="customer-title">Customer</h3>
        <p>{order.customerId}</p>
        <Cancel order={order} />
      </section>
    </div>
  );
}

function Cancel({ order }: { readonly order: Order }) {
  const failure = useSignal('');
  const canCancel = order.state === Order_State.PENDING || order.state === Order_State.CONFIRMED;
  if (!isOwn(order.id) || !canCancel) return null;
  const cancel = async () => {
    failure.value = await cancelOwn(order.id, order.etag).then(() => '', messageOf);
  };
  return (
    <>
      <button type="button" onClick={cancel}>
        Cancel the order
      </button>
      <Failure message={failure.value} />
    </>
  );
}
