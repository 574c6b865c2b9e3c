import { Code, RpcError } from '../errors/rpc-error.ts';
import type { GrpcCall } from './grpc-call.ts';
import { disableDeadline, http2StreamOf } from './internals/grpc-js-internals.ts';
import { arrivalOf } from './sessions/arrivals.ts';

const maxInt32 = 2 ** 31 - 1;
const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000 };

/** The deadline that the caller set, in ms since the epoch; undefined when it set none. */
export function callerDeadlineMs(grpcCall: GrpcCall): number | undefined {
  const deadline = Number(grpcCall.getDeadline());
  if (!Number.isFinite(deadline)) return undefined;
  const timeoutMs = longTimeoutMs(arrivalOf(http2StreamOf(grpcCall))?.timeout);
  if (timeoutMs === undefined) return deadline;
  disableDeadline(grpcCall);
  return Date.now() + timeoutMs;
}

/** A timeout that grpc-js cuts to 31 bits of milliseconds, and so takes for another one. */
function longTimeoutMs(header: string | undefined): number | undefined {
  // `597H` is the shortest, and eight digits of milliseconds are within bounds.
  if (header === undefined || header.length < 4) return undefined;
  const [, digits, unit = ''] = /^(\d{1,8})([HMS])$/.exec(header) ?? [];
  const timeoutMs = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  return timeoutMs > maxInt32 ? timeoutMs : undefined;
}

/** A caller keeps its deadline itself, and its clock started a little earlier: its cancel may overtake ours. */
const deadlineToleranceMs = 10;

/** grpc-js says 'cancelled' both when the caller has gone and when it has ended the call at the caller's deadline. */
export function cancelReason(callerDeadline: number | undefined): RpcError {
  return callerDeadline !== undefined && Date.now() >= callerDeadline - deadlineToleranceMs
    ? new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded')
    : new RpcError(Code.CANCELLED, 'cancelled by the caller');
}
