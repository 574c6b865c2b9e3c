import { ConnectError } from '@connectrpc/connect';
import { useSignal } from '@preact/signals';
import { canCall } from '../data/live.ts';
import { type OwnOrder, type Placed, placeOwn, randomOrder } from '../data/own-orders.ts';
import { orderHref } from '../data/router.ts';
import { session } from '../data/session.ts';
import { shortId } from '../widgets/format.ts';
import { StateMark } from '../widgets/state-mark.tsx';

interface Attempt {
  readonly order: OwnOrder | null;
  readonly isSending: boolean;
  readonly placed: Placed | null;
  readonly failure: string;
}

/** A button that places one order. An order with an unknown outcome is placed again with the same `request_id`. */
export function PlaceOne() {
  const attempt = useSignal<Attempt>({ order: null, isSending: false, placed: null, failure: '' });
  const { order, isSending, placed, failure } = attempt.value;
  const send = async () => {
    const sent = order ?? randomOrder();
    attempt.value = { order: sent, isSending: true, placed: null, failure: '' };
    attempt.value = await placeOwn(sent).then(
      (outcome) => ({ order: null, isSending: false, placed: outcome, failure: '' }),
      (error: unknown) => ({
        order: sent,
        isSending: false,
        placed: null,
        failure: ConnectError.from(error).message,
      }),
    );
  };
  return (
    <div class="place-one">
      <button type="button" disabled={isSending || !session.value || !canCall('orders')} onClick={send}>
        {order && !isSending ? 'Try again' : 'Place one order'}
      </button>
      <span class="outcome" role="status">
        {placed && (
          <a href={orderHref(placed.orderId)} data-order={placed.orderId}>
            {shortId(placed.orderId)} <StateMark state={placed.state} />
          </a>
        )}
        {failure}
      </span>
    </div>
  );
}
