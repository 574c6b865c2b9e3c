import type { OrderCounts } from '../../api.ts';
import type { OrderState } from '../data/known-orders.ts';
import { live } from '../data/live.ts';
import { ordersState } from '../data/orders.ts';
import { count } from '../widgets/format.ts';
import { StateMark } from '../widgets/state-mark.tsx';
import { WatchNotice } from '../widgets/watch-notice.tsx';
import { LoadControls } from './load-controls.tsx';
import { OrderField } from './order-field.tsx';
import { OrderList } from './order-list.tsx';

const states: readonly OrderState[] = ['pending', 'confirmed', 'rejected', 'cancelled'];

export function OrdersPanel() {
  return (
    <section class="panel orders" aria-labelledby="orders-title">
      <h2 id="orders-title">Orders</h2>
      <LoadControls />
      <Counts counts={live.value?.books.orders} />
      <WatchNotice service="orders" state={ordersState.value} />
      <OrderField />
      <OrderList />
    </section>
  );
}

/** All orders of the database by state. It is also the legend of the field. */
function Counts({ counts }: { readonly counts: OrderCounts | undefined }) {
  return (
    <dl class="counts">
      {states.map((state) => (
        <div key={state}>
          <dt>
            <StateMark state={state} />
          </dt>
          <dd data-count={state}>{counts ? count(counts[state]) : '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
