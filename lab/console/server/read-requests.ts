import type { AcknowledgedRequest, LoadRequest, TroubleRequest } from '../api.ts';
import { HttpError } from './http/http-error.ts';
import { maxPerSecond } from './load/load.ts';

type Fields = Readonly<Record<string, unknown>>;

const maxForMs = 60 * 60_000;
const maxDelayMs = 10_000;
const maxTextLength = 64;
const maxCustomerLength = 128;
const maxLines = 1000;
const actions: readonly TroubleRequest['action'][] = [
  'kill',
  'stop',
  'pause',
  'restart',
  'cut',
  'delay',
  'black-hole',
  'undo',
];
const states: readonly AcknowledgedRequest['state'][] = ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED'];

/** @throws HttpError 400 that names the field, as the other readers. */
export function readLoadRequest(body: unknown): LoadRequest {
  const { perSecond, hotItem } = fieldsOf(body);
  return {
    ...(perSecond !== undefined && { perSecond: numberIn(perSecond, 'perSecond', maxPerSecond) }),
    ...(hotItem !== undefined && { hotItem: hotItem === true }),
  };
}

export function readTroubleRequest(body: unknown): TroubleRequest {
  const { part, action, forMs = null, delayMs } = fieldsOf(body);
  return {
    part: textIn(part, 'part'),
    action: oneOf(actions, action, 'action'),
    forMs: forMs === null ? null : numberIn(forMs, 'forMs', maxForMs),
    ...(delayMs !== undefined && { delayMs: numberIn(delayMs, 'delayMs', maxDelayMs) }),
  };
}

export function readAcknowledgedRequest(body: unknown): AcknowledgedRequest {
  const { customerId, requestId, orderId, state, units } = fieldsOf(body);
  const lines = Object.entries(fieldsOf(units));
  if (lines.length > maxLines) throw new HttpError(400, `units has more than ${maxLines} SKUs`);
  return {
    customerId: textIn(customerId, 'customerId', maxCustomerLength),
    requestId: uuidIn(requestId, 'requestId'),
    orderId: uuidIn(orderId, 'orderId'),
    state: oneOf(states, state, 'state'),
    units: Object.fromEntries(
      lines.map(([sku, count]) => [textIn(sku, 'a SKU of units'), numberIn(count, `units of ${sku}`, 1e6)]),
    ),
  };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new HttpError(400, 'an object is expected');
  return value as Fields;
}

function textIn(value: unknown, field: string, maxLength = maxTextLength): string {
  if (typeof value === 'string' && value.length <= maxLength) return value;
  throw new HttpError(400, `${field} must be a text of at most ${maxLength} characters`);
}

function uuidIn(value: unknown, field: string): string {
  const text = textIn(value, field).toLowerCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new HttpError(400, `${field} must be a UUID`);
}

function numberIn(value: unknown, field: string, max: number): number {
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw new HttpError(400, `${field} must be a number from 0 to ${max}`);
}

function oneOf<Item extends string>(items: readonly Item[], value: unknown, field: string): Item {
  const found = items.find((item) => item === value);
  if (found !== undefined) return found;
  throw new HttpError(400, `${field} must be one of ${items.join(', ')}`);
}
