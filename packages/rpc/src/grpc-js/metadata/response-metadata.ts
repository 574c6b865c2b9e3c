import { Metadata, type MetadataValue } from '@grpc/grpc-js';
import {
  countProblem,
  keyProblem,
  maxMetadataEntries,
  valueProblem,
  valuesBytes,
} from './metadata-entries.ts';

/**
 * The headers or the trailers of a response. An entry that cannot be sent is rejected when it is set, so that it fails its
 * own call: node:http2 would throw later, outside of the chain, and end the connection.
 *
 * `set`, `add` and `merge` throw an Error that names the key: for a key that is ill-formed, reserved or belongs to the
 * HTTP connection, for a value that is not of the key's kind, for more than 100 values, for entries over `maxBytes` in total
 * as HTTP/2 counts them, and for metadata that has been sent.
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
    return Object.entries(super.toJSON()).reduce((sum, [key, values]) => sum + valuesBytes(key, values), 0);
  }

  override set(key: string, value: MetadataValue): void {
    this.requireLegal(key, value, this.valuesOf(key));
    super.set(key, value);
  }

  override add(key: string, value: MetadataValue): void {
    const problem = countProblem(key.toLowerCase(), this.valuesOf(key).length + 1);
    if (problem) throw rejected(key, problem);
    this.requireLegal(key, value, []);
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

  private valuesOf(key: string): readonly MetadataValue[] {
    const values = super.toJSON();
    const lower = key.toLowerCase();
    // Every object has a property `constructor`.
    return Object.hasOwn(values, lower) ? (values[lower] ?? []) : [];
  }

  /** @param replaced The values of the key that the value takes the place of. */
  private requireLegal(key: string, value: MetadataValue, replaced: readonly MetadataValue[]): void {
    if (this.isSent) throw rejected(key, 'the metadata has been sent');
    const lower = key.toLowerCase();
    const problem = keyProblem(lower) ?? valueProblem(lower, value);
    if (problem) throw rejected(key, problem);
    const count = Object.values(super.toJSON()).flat().length - replaced.length + 1;
    if (count > maxMetadataEntries)
      throw rejected(key, `there are ${count} values, at most ${maxMetadataEntries} are allowed`);
    const sizeBytes = this.sizeBytes() - valuesBytes(key, replaced) + valuesBytes(key, [value]);
    if (sizeBytes > this.maxBytes)
      throw rejected(key, `all entries take ${sizeBytes} bytes, at most ${this.maxBytes} are allowed`);
  }
}

/** The key may come from a third party, so an error gets at most 64 characters of it. */
function rejected(key: string, problem: string): Error {
  return new Error(`cannot send metadata ${JSON.stringify(key.slice(0, 64))}: ${problem}`);
}
