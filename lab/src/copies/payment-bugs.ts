import type { Edit } from '../harness/apply-edit.ts';

/** A defect in the worked example of docs/add-a-step.md, which a test of the example must catch. */
export interface PaymentBug {
  /** Description of the defect, for the table in docs/add-a-step.md. */
  readonly what: string;
  readonly edit: Edit;
  /** A part of the name of the test that catches it. */
  readonly caughtBy: string;
}

const paymentStep = 'services/orders/src/steps/payment-step.ts';
const paymentStore = 'services/payments/src/payment-store.ts';

/** A bug for each promise of a step. */
export const paymentBugs: readonly PaymentBug[] = [
  {
    what: 'a cancelled order keeps its payment',
    edit: {
      file: paymentStep,
      replace: 'undo: async ({ id }) => {',
      with: `undo: async ({ id, state }) => {
      if (state === 'CANCELLED') return;`,
    },
    caughtBy: 'a cancel voids the payment',
  },
  {
    what: 'an order that a later step refuses keeps its payment',
    edit: {
      file: 'services/orders/src/settling/settle-order.ts',
      replace: 'const needsUndo = index > 0 || mayBeDone;',
      with: 'const needsUndo = index > 9 || mayBeDone;',
    },
    caughtBy: 'an order that the later step refuses',
  },
  {
    what: 'an undo is recorded although a step did not confirm it',
    edit: {
      file: 'services/orders/src/steps/step.ts',
      replace: 'if (failed) throw failed.reason;',
      with: 'void failed;',
    },
    caughtBy: 'payments is killed before it has voided a payment',
  },
  {
    what: 'a void before its authorization leaves no tombstone',
    edit: {
      file: paymentStore,
      replace: `if (await insert(tx, tombstone, 'VOIDED')) return;`,
      with: `if (await insert(tx, tombstone, 'VOIDED')) {
    await tx.query('DELETE FROM payments WHERE order_id = $1', [orderId]);
    return;
  }`,
    },
    caughtBy: 'a late authorization is refused',
  },
  {
    what: 'a repeated authorization holds the amount again',
    edit: {
      file: paymentStore,
      replace: 'if (!isNew) return (await lock(tx, orderId)).state;',
      with: 'void isNew;',
    },
    caughtBy: 'a repeated authorization holds the amount once',
  },
  {
    what: 'an unknown outcome of an authorization is treated as declined',
    edit: {
      file: paymentStep,
      replace: `return { kind: 'UNKNOWN', cause: error };`,
      with: `return { kind: 'REFUSED', rejection: { reason: 'PAYMENT_DECLINED', items: [] } };`,
    },
    caughtBy: 'an order is PENDING while payments is down',
  },
  {
    what: 'an order whose payment is declined is confirmed',
    edit: {
      file: paymentStep,
      replace: `if (reason === 'PAYMENT_DECLINED') return { kind: 'REFUSED', rejection: { reason, items: [] } };`,
      with: `if (reason === 'PAYMENT_DECLINED') return { kind: 'DONE' };`,
    },
    caughtBy: 'an order whose payment is declined',
  },
];
