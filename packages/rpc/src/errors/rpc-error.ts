import { type DescMessage, isMessage, type Message, type MessageShape } from '@bufbuild/protobuf';
import { AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { isErrorCode, transientCodes } from './status-codes.ts';

/** The canonical status codes (google.rpc.Code). */
export { status as Code };

type Code = status;

export interface RpcErrorOptions {
  /**
   * Details for the caller (AIP-193): google.rpc messages (ErrorInfo, BadRequest, RetryInfo and so on) as they are, and
   * messages of any other type in a google.protobuf.Any: `anyPack(MyDetailSchema, detail)`. Another message is not sent,
   * because it does not hold its descriptor.
   */
  readonly details?: readonly Message[];
  /** The error behind this one. It is logged and never sent. */
  readonly cause?: unknown;
  /** The method that an outgoing call was for: `inventory.v1.InventoryService/ReserveStock`. */
  readonly calledMethod?: string;
}

/**
 * The failure of a call, thrown by handlers and by clients.
 *
 * The message and the details are sent to the caller. They name the problem and its remedy, and contain nothing that the
 * caller must not know.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: Code;
  /** The details. A received one whose type is not google.rpc's is a google.protobuf.Any: read it with `findDetail`. */
  readonly details: readonly Message[];
  /**
   * Set if the error comes from an outgoing call: returned by the called service, or raised by the client before anything
   * was sent. Such an error is not sent to this service's caller as it is.
   */
  readonly calledMethod: string | undefined;

  constructor(code: Code, message: string, options: RpcErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? [];
    this.calledMethod = options.calledMethod;
  }

  /** Returns the details of a type, unpacked. Omits those that cannot be decoded. */
  findDetails<Desc extends DescMessage>(schema: Desc): MessageShape<Desc>[] {
    return this.details.flatMap((detail) => detailAs(schema, detail) ?? []);
  }

  /** Returns the first detail of a type: `error.findDetail(ErrorInfoSchema)?.reason`. */
  findDetail<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined {
    return this.findDetails(schema)[0];
  }
}

function detailAs<Desc extends DescMessage>(schema: Desc, detail: Message): MessageShape<Desc> | undefined {
  if (isMessage(detail, schema)) return detail;
  if (!isMessage(detail, AnySchema)) return undefined;
  try {
    return anyUnpack(detail, schema);
  } catch {
    return undefined;
  }
}

/** Maps a service's domain errors to statuses. Returns undefined for an error that it does not know. */
export type ErrorMap = (error: unknown) => RpcError | undefined;

/** Codes of a called service that also hold for the call that needed it; gRFC A54 says why the others do not. */
const forwardedCodes = transientCodes.union(new Set([status.CANCELLED]));

/**
 * Returns the status for an error: the error itself if the service threw an RpcError with the code of an error, otherwise the result of the service's
 * map, otherwise INTERNAL `internal error` with the error as its cause.
 */
export function toRpcError(error: unknown, map: ErrorMap): RpcError {
  if (error instanceof RpcError && error.calledMethod === undefined && isErrorCode(error.code)) return error;
  const mapped = map(error);
  if (mapped) return mapped;
  if (error instanceof RpcError && forwardedCodes.has(error.code))
    return new RpcError(error.code, `${error.calledMethod}: ${error.message}`, { cause: error });
  return new RpcError(status.INTERNAL, 'internal error', { cause: error });
}

/** Returns the name of a code for logs and metrics: `NOT_FOUND`. */
export function codeName(code: Code): string {
  return status[code] ?? `CODE_${code}`;
}
