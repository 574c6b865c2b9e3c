import { maxInt32 } from '../call/timer.ts';
import type { GrpcCall } from './grpc-call.ts';
import { disableDeadline, http2StreamOf } from './internals/grpc-js-internals.ts';
import { incomingStreamOf } from './sessions/incoming-streams.ts';

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000 };

/** Returns the deadline that the caller set, in ms since the epoch, or undefined if it set none. */
export function callerDeadlineAtMs(grpcCall: GrpcCall): number | undefined {
  const deadline = Number(grpcCall.inner.getDeadline());
  if (!Number.isFinite(deadline)) return undefined;
  const timeoutMs = longTimeoutMs(incomingStreamOf(http2StreamOf(grpcCall.inner))?.timeout);
  if (timeoutMs === undefined) return deadline;
  disableDeadline(grpcCall.inner);
  return Date.now() + timeoutMs;
}

/** Returns a timeout that does not fit in 31 bits of milliseconds. grpc-js truncates such a timeout to another value. */
function longTimeoutMs(header: string | undefined): number | undefined {
  // `597H` is the shortest. Eight digits of milliseconds always fit.
  if (header === undefined || header.length < 4) return undefined;
  const [, digits, unit = ''] = /^(\d{1,8})([HMS])$/.exec(header) ?? [];
  const timeoutMs = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  return timeoutMs > maxInt32 ? timeoutMs : undefined;
}
