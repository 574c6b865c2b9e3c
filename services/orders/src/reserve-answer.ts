import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from '@acme/gen/google/rpc/error_details_pb';
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';
import type { ReserveAnswer } from './inventory.ts';

const domain = 'inventory.v1';

/**
 * Final answers, by the reason in inventory's ErrorInfo: repeating the reserve gives the same answer, so the order is
 * REJECTED.
 */
const finalReasons: Readonly<Record<string, (error: RpcError) => ReserveAnswer>> = {
  OUT_OF_STOCK: (error) => {
    const violations = error.detail(PreconditionFailureSchema)?.violations ?? [];
    const items = violations.map(({ subject, description }) => ({ sku: subject, description }));
    return { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items } };
  },
  SKU_NOT_FOUND: (error) => {
    const resources = error.detailsOf(ResourceInfoSchema);
    const items = resources.map(({ resourceName, description }) => ({ sku: resourceName, description }));
    return { kind: 'REFUSED', rejection: { reason: 'SKU_NOT_FOUND', items } };
  },
  // Inventory holds a tombstone. A cancelled order stays CANCELLED: settling only changes PENDING orders.
  RESERVATION_RELEASED: () => refused('RESERVATION_RELEASED'),
  // The reservation under the order's id has other lines, so no earlier attempt at this order made it.
  RESERVATION_ID_REUSED: () => refused('RESERVATION_ID_REUSED'),
};

/**
 * Returns what a failed reserve means for the order. A reason counts only if it is in the domain `inventory.v1`.
 *
 * Every error that is not final is UNKNOWN: the order stays PENDING and the settler asks again. That includes
 * UNAUTHENTICATED and PERMISSION_DENIED: the order is valid, and the operator has to repair the credentials of orders.
 */
export function reserveAnswer(error: unknown): ReserveAnswer {
  const unknown: ReserveAnswer = { kind: 'UNKNOWN', cause: error };
  if (!(error instanceof RpcError)) return unknown;
  // Final only with the violations that the contract promises. An earlier attempt may have reserved.
  if (error.code === Code.INVALID_ARGUMENT && error.detail(BadRequestSchema))
    return { ...refused('RESERVATION_INVALID'), owesRelease: true };
  const info = error.detail(ErrorInfoSchema);
  const reason = info?.domain === domain ? info.reason : '';
  return Object.hasOwn(finalReasons, reason) ? (finalReasons[reason]?.(error) ?? unknown) : unknown;
}

function refused(reason: 'RESERVATION_RELEASED' | 'RESERVATION_ID_REUSED' | 'RESERVATION_INVALID') {
  return { kind: 'REFUSED', rejection: { reason, items: [] } } as const;
}
