import { Metadata } from '@grpc/grpc-js';
import { context, propagation, type TextMapSetter } from '@opentelemetry/api';
import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { headerEntryBytes } from '../../errors/header-entry.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';
import {
  countProblem,
  keyProblem,
  maxMetadataEntries,
  valueProblem,
  valuesBytes,
} from '../../grpc-js/metadata/metadata-entries.ts';
import { requestIdKey } from '../../incoming/incoming-call.ts';
import { streamMarkerKey } from '../balancing/stream-marker.ts';
import type { CallOptions, OutgoingMetadata } from './call-options.ts';

/** The reason why the client does not send `authorization` from a call's metadata. */
export type NoAuthorization = 'the token source sets it' | 'the channel is not encrypted';

/**
 * Maximum size of a call's metadata, as HTTP/2 counts it. A server accepts 16 KiB, part of which is for headers that
 * grpc-js adds.
 */
const maxMetadataBytes = 16 * 1024 - 512;

/** grpc-js or a balancing policy overwrites or removes these. */
const ownKeys = new Set(['user-agent', streamMarkerKey]);

/**
 * Checks the metadata of a call.
 *
 * @throws RpcError INVALID_ARGUMENT that names a key that is ill-formed, reserved or belongs to the HTTP connection, that
 * can have one value and has several, or one of whose values is not of the kind that the key requires: bytes, or printable
 * ASCII text. Also for more than 100 values.
 */
export function requireValidMetadata(
  method: MethodInfo,
  { metadata }: CallOptions,
  noAuthorization: NoAuthorization | undefined,
): void {
  if (!metadata) return;
  let count = 0;
  for (const [key, values] of Object.entries(metadata)) {
    const lower = key.toLowerCase();
    const problem = ownKeyProblem(lower, noAuthorization) ?? valuesProblem(lower, values);
    if (problem) throw invalidMetadata(method, key, problem);
    count += listOf(values).length;
    if (count > maxMetadataEntries)
      throw invalidMetadata(method, key, `there are more than ${maxMetadataEntries} values`);
  }
}

function ownKeyProblem(key: string, noAuthorization: NoAuthorization | undefined): string | undefined {
  if (ownKeys.has(key)) return 'it is reserved';
  if (key === 'authorization' && noAuthorization) return noAuthorization;
  return keyProblem(key);
}

function valuesProblem(key: string, values: unknown): string | undefined {
  if (!Array.isArray(values)) return valueProblem(key, values);
  const problems = values.map((value) => valueProblem(key, value));
  return countProblem(key, values.length) ?? problems.find((problem) => problem !== undefined);
}

function listOf(values: OutgoingMetadata[string]): readonly (string | Uint8Array)[] {
  return typeof values === 'string' || values instanceof Uint8Array ? [values] : values;
}

function entryBytes(key: string, values: OutgoingMetadata[string]): number {
  return valuesBytes(key, listOf(values));
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
  if (own)
    for (const [key, values] of Object.entries(own)) {
      setValues(metadata, key, values);
      sizeBytes += entryBytes(key, values);
    }
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
      const problem = ownKeyProblem(key, undefined) ?? valueProblem(key, value);
      if (hasRoom && problem === undefined) set(key, value);
    },
  };
  propagation.inject(context.active(), metadata, setter);
  return metadata;
}

/** Sets all values of a key, which replace those of the same key in other letters. */
function setValues(metadata: Metadata, key: string, values: OutgoingMetadata[string]): void {
  metadata.remove(key);
  for (const value of listOf(values)) metadata.add(key, typeof value === 'string' ? value : asBuffer(value));
}

function largestKey(metadata: OutgoingMetadata = {}): string {
  const entries = Object.entries(metadata).toSorted(
    (one, other) => entryBytes(...other) - entryBytes(...one),
  );
  return entries[0]?.[0] ?? 'authorization';
}

/** Keys may come from a third party, so a log line gets at most 64 characters of one. */
function invalidMetadata(method: MethodInfo, key: string, problem: string): RpcError {
  const message = `cannot send metadata ${JSON.stringify(key.slice(0, 64))}: ${problem}`;
  return new RpcError(Code.INVALID_ARGUMENT, message, { calledMethod: method.name });
}
