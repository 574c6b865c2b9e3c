import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { now } from '../data/clock.ts';
import type { KnownOrder } from '../data/known-orders.ts';
import { orders, ordersState, ordersVersion } from '../data/orders.ts';
import { isOwn } from '../data/own-orders.ts';
import { orderHref } from '../data/router.ts';
import { count, shortId, time } from '../widgets/format.ts';
import { StateMark } from '../widgets/state-mark.tsx';

const maxRows = 200;
/** New rows appear this often, so that a reader can follow them. */
const advanceMs = 500;
const maxNewRows = 2;
const emptyText = 'No orders yet: move the slider, or place one';

/** The orders that are listed, newest first. */
interface Listing {
  readonly ids: readonly string[];
  /** `orders.seen` and the time when it was made. */
  readonly seen: number;
  readonly atMs: number;
  /** Whether there were more new orders than rows. */
  readonly isSample: boolean;
}

/**
 * The newest orders. At a rate that is too high to read it lists a sample, and those that this page has placed. It stands still
 * while the pointer or the focus is in it. States change in place in any case.
 */
export function OrderList() {
  const isPointed = useSignal(false);
  const isFocused = useSignal(false);
  const listing = useRef<Listing>({ ids: [], seen: 0, atMs: 0, isSample: false });
  // Both make the component render again.
  ordersVersion.value;
  now.value;
  const isHeld = isPointed.value || isFocused.value;
  if (!isHeld) listing.current = advance(listing.current);
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
          {listed.length === 0 && ordersState.value === 'live'
            ? emptyText
            : captionOf(isHeld, newer, listing.current.isSample)}
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

function advance(listing: Listing): Listing {
  const seen = orders.seen;
  const atMs = Date.now();
  const fresh = seen - listing.seen;
  if (fresh === 0) return atMs - listing.atMs > advanceMs * 4 ? { ...listing, isSample: false } : listing;
  if (listing.ids.length > 0 && atMs - listing.atMs < advanceMs) return listing;
  const newest = orders.newest(fresh).toReversed();
  const isFirst = listing.ids.length === 0;
  const added = isFirst ? newest : newest.filter(({ id }, index) => index < maxNewRows || isOwn(id));
  return {
    ids: [...added.map(({ id }) => id), ...listing.ids].slice(0, maxRows),
    seen,
    atMs,
    isSample: !isFirst && newest.length > added.length,
  };
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
