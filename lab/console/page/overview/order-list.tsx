import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { now } from '../data/clock.ts';
import type { KnownOrder } from '../data/known-orders.ts';
import { orders, ordersState, ordersVersion } from '../data/orders.ts';
import { isOwn } from '../data/own-orders.ts';
import { orderHref } from '../data/router.ts';
import { count, shortId, time } from '../widgets/format.ts';
import { StateMark } from '../widgets/state-mark.tsx';
import { advance, emptyListing } from './listing.ts';

const emptyText = 'No orders yet: move the slider, or place one';

/**
 * The newest orders. At a rate that is too high to read it lists a sample, and those that this page has placed. It stands still
 * while the pointer or the focus is in it. States change in place in any case.
 */
export function OrderList() {
  const isPointed = useSignal(false);
  const isFocused = useSignal(false);
  const listing = useRef(emptyListing);
  // Both make the component render again.
  ordersVersion.value;
  now.value;
  const isHeld = isPointed.value || isFocused.value;
  const isLive = ordersState.value === 'live';
  if (!isHeld) listing.current = advance(listing.current, { orders, isLive, isOwn, atMs: Date.now() });
  const listed = listing.current.ids.flatMap((id) => orders.get(id) ?? []);
  const newer = orders.seen - listing.current.seen;
  return (
    <div
      class="order-list"
      onPointerEnter={() => (isPointed.value = true)}
      onPointerLeave={() => (isPointed.value = false)}
      onFocusIn={() => (isFocused.value = true)}
      onFocusOut={() => (isFocused.value = false)}
    >
      <table>
        <caption>
          {listed.length === 0 && isLive ? emptyText : captionOf(isHeld, newer, listing.current.isSample)}
        </caption>
        <thead>
          <tr>
            <th scope="col">Order</th>
            <th scope="col">Placed</th>
            <th scope="col">Lines</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {listed.map((order) => (
            <Row key={order.id} order={order} state={order.state} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function captionOf(isHeld: boolean, newer: number, isSample: boolean): string {
  if (isHeld && newer > 0) return `Held while you read: ${count(newer)} newer`;
  return isSample ? 'A sample; the field above has every order' : 'Newest first';
}

function Row({ order, state }: { readonly order: KnownOrder; readonly state: KnownOrder['state'] }) {
  const { id, createdAtMs, lines } = order;
  const firstState = useRef(state);
  return (
    <tr data-order={id} data-state={state}>
      <td>
        <a href={orderHref(id)}>{shortId(id)}</a>
      </td>
      <td>{time(createdAtMs)}</td>
      <td class="lines">{lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ')}</td>
      <td>
        <span key={state} class={state === firstState.current ? '' : 'changed'}>
          <StateMark state={state} />
        </span>
      </td>
    </tr>
  );
}
