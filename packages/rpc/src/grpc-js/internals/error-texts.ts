import type { StatusObject } from '@grpc/grpc-js';

const decompressionLimit = 'Received message that decompresses to a size larger than';

/** Text of this client for a response that ended without trailers. */
export const cutOffText = 'the response ended without a status';

/**
 * The beginnings of grpc-js's texts, up to the first value. Values are withheld: grpc-js prints a metadata entry that is
 * not ASCII in full, and it can be a token.
 */
export const beginnings = [
  // Log messages.
  'Failed to add metadata entry',
  'Failed to createSecureContext with error',
  'Failed to set secure context with error',
  'Failed to connect to proxy',
  'Failed to connect to',
  'Config parsing failed with error',
  'Connection to',
  'Invalid value provided for grpc.default_compression_algorithm option',
  'No address added out of total',
  'WARNING Only',
  'cannot parse value of',
  'userinfo found in proxy URI',
  // Status messages.
  'The server does not implement the method',
  'Received no request message',
  'Received a second request message',
  'Received message larger than max',
  decompressionLimit,
  'Received message compressed with unsupported encoding',
  'Failed to decompress message',
  'Sent message larger than max',
  'Invalid grpc-timeout value',
  'Deadline exceeded',
];

/** Returns the beginning of a grpc-js text, without values, or undefined for an unknown text. */
export function withoutValues(text: string): string | undefined {
  return beginnings.find((each) => text.startsWith(each));
}

type LocalStatus = Pick<StatusObject, 'details' | 'metadata'>;

/** Returns whether a status is that of the client's own limit for decompressed messages. */
export function isDecompressionLimit(ended: LocalStatus): boolean {
  return isLocal(ended) && ended.details.startsWith(decompressionLimit);
}

/** Returns whether a status is that of a response without trailers. */
export function isCutOff(ended: LocalStatus): boolean {
  return isLocal(ended) && ended.details === cutOffText;
}

/** A server may send any text. Nearly every status from a server comes with some metadata. */
function isLocal({ metadata }: LocalStatus): boolean {
  return Object.keys(metadata.getMap()).length === 0;
}

/**
 * Returns Node's reasons from the message of a failed `bindAsync`, one for each address that the name stands for. grpc-js
 * puts them in brackets at the end. Returns the whole message if there are none.
 */
export function bindErrorReasons(message: string): string {
  const [, reasons] = /\[(.*)\]$/.exec(message) ?? [];
  return reasons ?? message;
}
