import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  isMessage,
  type Message,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  type BadRequest,
  file_google_rpc_error_details,
  type PreconditionFailure,
  type QuotaFailure,
} from '../gen/google/rpc/error_details_pb.ts';
import { type Status, StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { headerEntryBytes } from './header-entry.ts';

/** Metadata key of google.rpc.Status (gRPC's richer error model). */
export const statusDetailsKey = 'grpc-status-details-bin';

/** Maximum size of all details of a status, encoded. */
export const maxDetailsBytes = 4096;

/**
 * Maximum size of the header list that carries a status, as HTTP/2 counts it. C-core clients
 * reject more than 16 KiB, Java clients and many proxies more than 8 KiB. Above 45 kB grpc-js tears down the connection.
 */
const maxTrailersBytes = 8 * 1024;

/** Share of the trailers for headers other than the message and the details: x-request-id, date, pushback and so on. */
const otherTrailersBytes = 1024;

/** Maximum size of a status message, percent-encoded as in the `grpc-message` header. */
const maxStatusMessageBytes = 2048;

/** Bytes of tags and lengths that a detail adds to a google.rpc.Status. */
const framingBytes = 10;

/**
 * Details in order of their use to the caller, before those of all other types. Without room for all, the last are dropped
 * first.
 */
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

/**
 * Cuts a message to 2 KiB as it is percent-encoded on the wire, where a CJK character takes 9 bytes. Cuts between
 * characters and replaces lone surrogates, which would end the process in grpc-js.
 */
export function boundedMessage(message: string): string {
  const text = message.slice(0, maxStatusMessageBytes).toWellFormed();
  if (text.length === message.length && percentEncodedSize(text) <= maxStatusMessageBytes) return text;
  let sizeBytes = 0;
  let length = 0;
  for (const character of text) {
    sizeBytes += percentEncodedSize(character);
    if (sizeBytes > maxStatusMessageBytes) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** Returns the size of a text in bytes as grpc-js percent-encodes it in `grpc-message`. */
function percentEncodedSize(text: string): number {
  return encodeURI(text).length;
}

/**
 * Returns a google.rpc.Status with as many of the details as there is room for. Omits a detail that cannot be encoded, or
 * that is neither a google.rpc message nor an Any, so that it costs neither the error nor the process.
 *
 * @param trailersBytes Size of the handler's own trailers, which share the room.
 */
export function boundedStatus(
  code: number,
  message: string,
  details: readonly Message[],
  trailersBytes = 0,
): Status {
  const sent = boundedMessage(message);
  let room = Math.min(maxDetailsBytes, detailsRoom(sent, trailersBytes));
  const packed: Any[] = [];
  for (const detail of details.filter((each) => isMessage(each)).toSorted((a, b) => rank(a) - rank(b))) {
    const any = packWithin(detail, room);
    if (!any) continue;
    room -= packedBytes(any);
    packed.push(any);
  }
  return create(StatusSchema, { code, message: sent, details: packed });
}

/** Returns the room for details in the trailers, which contain the message twice: percent-encoded, and in the status. */
function detailsRoom(message: string, trailersBytes: number): number {
  const headersBytes =
    headerEntryBytes('grpc-message', percentEncodedSize(message)) +
    headerEntryBytes(statusDetailsKey, 0) +
    trailersBytes;
  const statusBytes = Math.floor((maxTrailersBytes - otherTrailersBytes - headersBytes) / 4) * 3;
  return statusBytes - Buffer.byteLength(message) - framingBytes;
}

function packedBytes({ typeUrl, value }: Pick<Any, 'typeUrl' | 'value'>): number {
  return Buffer.byteLength(typeUrl) + value.length + framingBytes;
}

/** Encodes the result of `boundedStatus`. Returns undefined without details, or without room for any. */
export function encodeStatusDetails(
  code: number,
  message: string,
  details: readonly Message[],
  trailersBytes = 0,
): Uint8Array | undefined {
  if (details.length === 0) return undefined;
  const status = boundedStatus(code, message, details, trailersBytes);
  return status.details.length === 0 ? undefined : toBinary(StatusSchema, status);
}

/** Decodes the details of an encoded google.rpc.Status. Returns none for other bytes. Copies: an Any refers to its bytes. */
export function decodeStatusDetails(bytes: Uint8Array): Message[] {
  try {
    return unpackDetails(fromBinary(StatusSchema, new Uint8Array(bytes)));
  } catch {
    return [];
  }
}

/** Returns the details of a status. A detail that is no google.rpc message, or cannot be decoded, stays an Any. */
export function unpackDetails({ details }: Status): Message[] {
  return details.map((any) => {
    try {
      return anyUnpack(any, registry) ?? any;
    } catch {
      return any;
    }
  });
}

function rank(detail: Message): number {
  const typeName = isMessage(detail, AnySchema) ? detail.typeUrl.split('/').at(-1) : detail.$typeName;
  const index = byUse.indexOf(typeName ?? '');
  return index < 0 ? byUse.length : index;
}

/** Packs a detail, unless it is an Any. A list of violations is halved until it fits. */
function packWithin(detail: Message, room: number): Any | undefined {
  if (isMessage(detail, AnySchema)) {
    const encoded = encodeOrNone(AnySchema, detail);
    return encoded && encoded.length + framingBytes <= room ? detail : undefined;
  }
  const schema = registry.getMessage(detail.$typeName);
  if (!schema) return undefined;
  const typeUrl = `type.googleapis.com/${detail.$typeName}`;
  for (let candidate: Message | undefined = detail; candidate; candidate = withFewerViolations(candidate)) {
    const value = encodeOrNone(schema, candidate);
    if (!value) return undefined;
    if (packedBytes({ typeUrl, value }) <= room) return create(AnySchema, { typeUrl, value });
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
