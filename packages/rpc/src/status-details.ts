import {
  type BadRequest,
  file_google_rpc_error_details,
  type PreconditionFailure,
  type QuotaFailure,
} from '@acme/gen/google/rpc/error_details_pb';
import { type Status, StatusSchema } from '@acme/gen/google/rpc/status_pb';
import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  type Message,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';

/** Where google.rpc.Status travels (gRPC's richer error model). */
export const statusDetailsKey = 'grpc-status-details-bin';

/**
 * The most that all details of a status may take, encoded. Over some 45 kB grpc-js tears down the connection and
 * every other call on it; common limits for all metadata together are 8 kB.
 */
export const maxDetailsBytes = 4096;

/** What a caller misses most comes first; the last are dropped first when there is not room for all. */
const byUse = [
  'google.rpc.ErrorInfo',
  'google.rpc.RetryInfo',
  'google.rpc.RequestInfo',
  'google.rpc.BadRequest',
  'google.rpc.PreconditionFailure',
  'google.rpc.QuotaFailure',
  'google.rpc.ResourceInfo',
  'google.rpc.Help',
  'google.rpc.LocalizedMessage',
];

const registry: Registry = createRegistry(file_google_rpc_error_details);

/** The most of a message that is sent, in UTF-16 code units. */
const maxMessageLength = 1024;

/** As much of a message as is sent. One that was cut in the middle of a surrogate pair would end the process in grpc-js. */
export function boundedMessage(message: string): string {
  return message.slice(0, maxMessageLength).toWellFormed();
}

/**
 * A google.rpc.Status with as many of the details as have room. A detail that cannot be encoded, or is none of
 * google.rpc's, is left out: it must not cost the caller the error, nor the process its life.
 */
export function boundedStatus(code: number, message: string, details: readonly Message[]): Status {
  let room = maxDetailsBytes;
  const packed: Any[] = [];
  for (const detail of details.toSorted((a, b) => rank(a) - rank(b))) {
    const any = packWithin(detail, room);
    if (!any) continue;
    room -= any.value.length + any.typeUrl.length;
    packed.push(any);
  }
  return create(StatusSchema, { code, message: boundedMessage(message), details: packed });
}

/** Encodes what `boundedStatus` makes; undefined without any details. */
export function encodeStatusDetails(
  code: number,
  message: string,
  details: readonly Message[],
): Uint8Array | undefined {
  if (details.length === 0) return undefined;
  return toBinary(StatusSchema, boundedStatus(code, message, details));
}

/** Decodes the details of a status; what is no google.rpc.Status, or of an unknown type, is left out. */
export function decodeStatusDetails(bytes: Uint8Array): Message[] {
  try {
    return unpackDetails(fromBinary(StatusSchema, bytes));
  } catch {
    return [];
  }
}

/** The details of a status; what is of an unknown type, or cannot be decoded, is left out. */
export function unpackDetails({ details }: Status): Message[] {
  return details.flatMap((any) => {
    try {
      return anyUnpack(any, registry) ?? [];
    } catch {
      return [];
    }
  });
}

function rank(detail: Message): number {
  const index = byUse.indexOf(detail.$typeName);
  return index < 0 ? byUse.length : index;
}

/** Packs a detail; one that lists violations is cut to those that have room. */
function packWithin(detail: Message, room: number): Any | undefined {
  const schema = registry.getMessage(detail.$typeName);
  if (!schema) return undefined;
  const typeUrl = `type.googleapis.com/${detail.$typeName}`;
  for (let candidate: Message | undefined = detail; candidate; candidate = withFewerViolations(candidate)) {
    const value = encodeOrNone(schema, candidate);
    if (!value) return undefined;
    if (value.length + typeUrl.length <= room) return create(AnySchema, { typeUrl, value });
  }
  return undefined;
}

function encodeOrNone(schema: DescMessage, message: Message): Uint8Array | undefined {
  try {
    return toBinary(schema, message);
  } catch {
    return undefined;
  }
}

function withFewerViolations(detail: Message): Message | undefined {
  const lists = detail as Message &
    Partial<Pick<BadRequest, 'fieldViolations'>> &
    Partial<Pick<PreconditionFailure | QuotaFailure, 'violations'>>;
  if (lists.fieldViolations && lists.fieldViolations.length > 1)
    return { ...detail, fieldViolations: half(lists.fieldViolations) } as Message;
  if (lists.violations && lists.violations.length > 1)
    return { ...detail, violations: half<unknown>(lists.violations) } as Message;
  return undefined;
}

function half<T>(list: readonly T[]): T[] {
  return list.slice(0, Math.ceil(list.length / 2));
}
