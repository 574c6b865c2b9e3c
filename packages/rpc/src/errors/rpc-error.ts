import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { transientCodes } from './status-codes.ts';

/** The canonical status codes (google.rpc.Code). */
export { status as Code };

type Code = status;

export interface RpcErrorOptions {
  /** google.rpc messages for the caller: ErrorInfo, BadRequest, RetryInfo and so on (AIP-193). */
  readonly details?: readonly Message[];
  /** What went wrong below. It is logged and never sent. */
  readonly cause?: unknown;
  /** The method that answered with this error, as `inventory.v1.InventoryService/ReserveStock`; none on our own. */
  readonly answeredBy?: string;
}

/**
 * A call's failure, as the server sends it and as the client gets it.
 *
 * The message and the details go to the caller: they name what was wrong and what to do, and hold nothing that the
 * caller may not know.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: Code;
  readonly details: readonly Message[];
  /** Set on what another service answered: it tells this service something, not this service's caller. */
  readonly answeredBy: string | undefined;

  constructor(code: Code, message: string, options: RpcErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? [];
    this.answeredBy = options.answeredBy;
  }

  /** The details of a type. */
  detailsOf<Desc extends DescMessage>(schema: Desc): MessageShape<Desc>[] {
    return this.details.filter((detail) => detail.$typeName === schema.typeName) as MessageShape<Desc>[];
  }

  /** The first detail of a type: `error.detail(ErrorInfoSchema)?.reason`. */
  detail<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined {
    return this.detailsOf(schema)[0];
  }
}

/** A domain error by the service's one map: its status, or undefined for what the service did not foresee. */
export type ErrorMap = (error: unknown) => RpcError | undefined;

/** Codes of a called service that also hold for the call that needed it; gRFC A54 says why the others do not. */
const forwardedCodes = transientCodes.union(new Set([status.CANCELLED]));

/**
 * The status that an error becomes: itself when the service raised it, else what the service's map makes of it, else
 * INTERNAL `internal error`, with the error as the cause.
 */
export function toRpcError(error: unknown, map: ErrorMap): RpcError {
  if (error instanceof RpcError && error.answeredBy === undefined) return error;
  const mapped = map(error);
  if (mapped) return mapped;
  if (error instanceof RpcError && forwardedCodes.has(error.code))
    return new RpcError(error.code, `${error.answeredBy}: ${error.message}`, { cause: error });
  return new RpcError(status.INTERNAL, 'internal error', { cause: error });
}

/** The code's name, as logs and metrics write it: `NOT_FOUND`. */
export function codeName(code: Code): string {
  return status[code] ?? `CODE_${code}`;
}
