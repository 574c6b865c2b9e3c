import { Metadata, type MetadataValue } from '@grpc/grpc-js';
import { headerEntryBytes } from '../errors/header-entry.ts';
import { keyProblem } from './metadata-keys.ts';

/** node:http2 throws for several values of one of these. */
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

/**
 * The headers or the trailers of a response. An entry that cannot be sent is rejected when it is set, so that it fails its
 * own call: node:http2 would throw later, outside of the chain, and end the connection.
 *
 * `set`, `add` and `merge` throw an Error that names the key: for a key that is ill-formed, reserved or belongs to the
 * HTTP connection, for a value that is not of the key's kind, for entries over `maxBytes` in total as HTTP/2 counts them,
 * and for metadata that has been sent.
 */
export class ResponseMetadata extends Metadata {
  private readonly maxBytes: number;
  private isSent = false;

  constructor(maxBytes: number) {
    super();
    this.maxBytes = maxBytes;
  }

  /** From here on every change throws. */
  markSent(): void {
    this.isSent = true;
  }

  /** Returns the size as HTTP/2 counts it. */
  sizeBytes(): number {
    return Object.entries(super.toJSON()).reduce((sum, [key, values]) => sum + entryBytes(key, values), 0);
  }

  override set(key: string, value: MetadataValue): void {
    this.requireRoom(key, super.get(key), [value]);
    super.set(key, value);
  }

  override add(key: string, value: MetadataValue): void {
    if (super.get(key).length > 0 && singleValueKeys.has(key.toLowerCase()))
      throw rejected(key, 'it can have only one value');
    this.requireRoom(key, [], [value]);
    super.add(key, value);
  }

  override merge(other: Metadata): void {
    for (const [key, values] of Object.entries(other.toJSON()))
      for (const value of values) this.add(key, value);
  }

  override remove(key: string): void {
    if (this.isSent) throw rejected(key, 'the metadata has been sent');
    super.remove(key);
  }

  /** A copy: a change of grpc-js's own list would not be checked. */
  override get(key: string): MetadataValue[] {
    return [...super.get(key)];
  }

  /** A copy, as `get` returns. */
  override toJSON(): Record<string, MetadataValue[]> {
    return Object.fromEntries(Object.entries(super.toJSON()).map(([key, values]) => [key, [...values]]));
  }

  private requireRoom(
    key: string,
    replaced: readonly MetadataValue[],
    values: readonly MetadataValue[],
  ): void {
    if (this.isSent) throw rejected(key, 'the metadata has been sent');
    const problem = keyProblem(key.toLowerCase());
    if (problem) throw rejected(key, problem);
    const sizeBytes = this.sizeBytes() - entryBytes(key, replaced) + entryBytes(key, values);
    if (sizeBytes > this.maxBytes)
      throw rejected(key, `all entries take ${sizeBytes} bytes, at most ${this.maxBytes} are allowed`);
  }
}

function entryBytes(key: string, values: readonly MetadataValue[]): number {
  return values.reduce((sum, value) => sum + headerEntryBytes(key, wireLength(value)), 0);
}

/** Returns the length of a value on the wire, where bytes are encoded in base64. */
function wireLength(value: MetadataValue): number {
  return typeof value === 'string' ? value.length : Math.ceil(value.length / 3) * 4;
}

/** The key may come from a third party, so an error gets at most 64 characters of it. */
function rejected(key: string, problem: string): Error {
  return new Error(`cannot send metadata ${JSON.stringify(key.slice(0, 64))}: ${problem}`);
}
