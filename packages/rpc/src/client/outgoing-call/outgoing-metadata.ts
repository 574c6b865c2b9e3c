import { Metadata } from '@grpc/grpc-js';
import { context, propagation, type TextMapSetter } from '@opentelemetry/api';
import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { headerEntryBytes } from '../../errors/header-entry.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { requestIdKey } from '../../grpc-js/server-call.ts';
import { streamMarkerKey } from '../balancing/stream-marker.ts';
import type { CallOptions } from './call-options.ts';

/** The reason why the client does not send `authorization` from a call's metadata. */
export type NoAuthorization = 'the token source sets it' | 'the channel is not encrypted';

/**
 * Maximum size of a call's metadata, as HTTP/2 counts it. A server accepts 16 KiB, part of which is for headers that
 * grpc-js adds.
 */
const maxMetadataBytes = 16 * 1024 - 512;

/** Most of these would end the connection with every call on it, and grpc-js would reconnect without a backoff. */
const connectionKeys = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** grpc-js or a balancing policy overwrites or removes these. */
const ownKeys = new Set(['content-type', 'user-agent', streamMarkerKey]);

/** `Header-Name` of gRPC's HTTP/2 protocol. Upper case is accepted and sent as lower case. */
const keyPattern = /^[0-9a-z_.-]+$/;
const printablePattern = /^[\x20-\x7e]*$/;

/**
 * Checks the metadata of a call.
 *
 * @throws RpcError INVALID_ARGUMENT that names a key that is ill-formed, reserved or belongs to the HTTP connection, or
 * whose value is not printable ASCII text.
 */
export function requireValidMetadata(
  method: MethodInfo,
  { metadata }: CallOptions,
  noAuthorization: NoAuthorization | undefined,
): void {
  if (!metadata) return;
  for (const [key, value] of Object.entries(metadata)) {
    const problem = problemOf(key.toLowerCase(), value, noAuthorization);
    if (problem) throw invalidMetadata(method, key, problem);
  }
}

function problemOf(key: string, value: unknown, noAuthorization: NoAuthorization | undefined) {
  if (!keyPattern.test(key)) return 'a key has only letters, digits, "_", "-" and "."';
  if (connectionKeys.has(key)) return 'it belongs to the HTTP connection';
  if (ownKeys.has(key) || key.startsWith('grpc-')) return 'it is reserved';
  if (key === 'authorization' && noAuthorization) return noAuthorization;
  if (key.endsWith('-bin')) return 'a key that ends with "-bin" is for binary values';
  if (typeof value !== 'string') return 'its value is not a string';
  if (!printablePattern.test(value)) return 'its value has characters other than printable ASCII';
  return undefined;
}

/**
 * Returns the metadata of a call: the caller's, the request id of the call that is being served unless the caller sets
 * one, the token, and the trace context if there is room for it.
 *
 * @throws RpcError INVALID_ARGUMENT that names the largest key if the caller's metadata is too large.
 */
export function outgoingMetadata(
  method: MethodInfo,
  { metadata: own }: CallOptions,
  token: string | undefined,
): Metadata {
  const metadata = new Metadata();
  let sizeBytes = 0;
  const set = (key: string, value: string) => {
    metadata.set(key, value);
    sizeBytes += headerEntryBytes(key, value.length);
  };
  const served = currentCall();
  if (served) set(requestIdKey, served.requestId);
  if (own) for (const [key, value] of Object.entries(own)) set(key, value);
  if (token !== undefined) set('authorization', `Bearer ${token}`);
  if (sizeBytes > maxMetadataBytes)
    throw invalidMetadata(
      method,
      largestKey(own),
      `all metadata takes ${sizeBytes} bytes, at most ${maxMetadataBytes} are allowed`,
    );
  const setter: TextMapSetter<Metadata> = {
    set: (_metadata, key, value) => {
      const hasRoom = sizeBytes + headerEntryBytes(key, value.length) <= maxMetadataBytes;
      if (hasRoom && problemOf(key, value, undefined) === undefined) set(key, value);
    },
  };
  propagation.inject(context.active(), metadata, setter);
  return metadata;
}

function largestKey(metadata: CallOptions['metadata'] = {}): string {
  const entries = Object.entries(metadata).toSorted(
    ([key, value], [otherKey, otherValue]) =>
      headerEntryBytes(otherKey, otherValue.length) - headerEntryBytes(key, value.length),
  );
  return entries[0]?.[0] ?? 'authorization';
}

/** Keys may come from a third party, so a log line gets at most 64 characters of one. */
function invalidMetadata(method: MethodInfo, key: string, problem: string): RpcError {
  const message = `cannot send metadata ${JSON.stringify(key.slice(0, 64))}: ${problem}`;
  return new RpcError(Code.INVALID_ARGUMENT, message, { calledMethod: method.name });
}
