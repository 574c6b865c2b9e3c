/** Verbs whose methods create a resource, and the state of a resource that they have created. */
export const creatingVerbs: Readonly<Record<string, string>> = {
  Create: 'CREATED',
  Add: 'ADDED',
  Authorize: 'AUTHORIZED',
  Book: 'BOOKED',
  Charge: 'CHARGED',
  Issue: 'ISSUED',
  Open: 'OPEN',
  Place: 'PLACED',
  Post: 'POSTED',
  Record: 'RECORDED',
  Register: 'REGISTERED',
  Request: 'REQUESTED',
  Reserve: 'RESERVED',
  Schedule: 'SCHEDULED',
  Send: 'SENT',
  Start: 'STARTED',
  Submit: 'SUBMITTED',
};

/** Verbs whose methods change a resource, and the state that they change it to. */
const changingVerbs: Readonly<Record<string, string>> = {
  Accept: 'ACCEPTED',
  Activate: 'ACTIVE',
  Approve: 'APPROVED',
  Archive: 'ARCHIVED',
  Cancel: 'CANCELLED',
  Capture: 'CAPTURED',
  Close: 'CLOSED',
  Complete: 'COMPLETED',
  Confirm: 'CONFIRMED',
  Decline: 'DECLINED',
  Deliver: 'DELIVERED',
  Disable: 'DISABLED',
  Enable: 'ENABLED',
  Expire: 'EXPIRED',
  Finish: 'FINISHED',
  Pay: 'PAID',
  Publish: 'PUBLISHED',
  Refund: 'REFUNDED',
  Reject: 'REJECTED',
  Release: 'RELEASED',
  Return: 'RETURNED',
  Reverse: 'REVERSED',
  Revoke: 'REVOKED',
  Settle: 'SETTLED',
  Ship: 'SHIPPED',
  Stop: 'STOPPED',
  Suspend: 'SUSPENDED',
  Void: 'VOIDED',
  Withdraw: 'WITHDRAWN',
};

/** Returns the state that a verb leaves a resource in. Undefined for a verb that the generator does not know. */
export function stateAfter(verb: string): string | undefined {
  return [creatingVerbs, changingVerbs].find((verbs) => Object.hasOwn(verbs, verb))?.[verb];
}
