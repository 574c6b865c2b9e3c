import { headerEntryBytes } from '../../errors/header-entry.ts';

/**
 * Maximum number of values in the metadata of one direction of a call. Node resets a stream with more than 128 entries,
 * some of which are for HTTP/2 and gRPC.
 */
export const maxMetadataEntries = 100;

/** Most of these end the HTTP/2 connection with every call on it, because node:http2 throws. */
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

/** node:http2 throws for several values of one of these, and grpc-js makes a new connection for each attempt. */
const singleValueKeys = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-location',
  'content-md5',
  'content-range',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);

/** `Header-Name` of gRPC's HTTP/2 protocol. Upper case is accepted and sent as lower case. */
const keyPattern = /^[0-9a-z_.-]+$/;

/** Node drops a value that begins or ends with a space. */
const valuePattern = /^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/;

/** Returns why a metadata key, in lower case, cannot be sent; undefined for one that can. */
export function keyProblem(key: string): string | undefined {
  if (!keyPattern.test(key)) return 'a key has only letters, digits, "_", "-" and "."';
  if (connectionKeys.has(key)) return 'it belongs to the HTTP connection';
  // An object has no property of that name, so grpc-js would lose the entry.
  if (key === 'content-type' || key === '__proto__' || key.startsWith('grpc-')) return 'it is reserved';
  return undefined;
}

/** Returns why a value cannot be sent with a key, in lower case; undefined for one that can. */
export function valueProblem(key: string, value: unknown): string | undefined {
  if (key.endsWith('-bin'))
    return value instanceof Uint8Array ? undefined : 'a key that ends with "-bin" is for bytes (Uint8Array)';
  if (typeof value !== 'string') return 'its value is not a string';
  return valuePattern.test(value)
    ? undefined
    : 'its value has characters other than printable ASCII, or a space at an end';
}

/** Returns why a key, in lower case, cannot have this number of values; undefined if it can. */
export function countProblem(key: string, count: number): string | undefined {
  return count > 1 && singleValueKeys.has(key) ? 'it can have only one value' : undefined;
}

/** Returns the size of the values of a key as HTTP/2 counts them. Bytes are encoded in base64. */
export function valuesBytes(key: string, values: readonly (string | Uint8Array)[]): number {
  return values.reduce(
    (sum, value) =>
      sum + headerEntryBytes(key, typeof value === 'string' ? value.length : Math.ceil(value.length / 3) * 4),
    0,
  );
}
