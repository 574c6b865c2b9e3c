/**
 * The beginnings of grpc-js's texts, as far as the first value in them. Values are withheld: an entry of the metadata that
 * is not ASCII is printed whole, and it can be a token.
 */
export const beginnings = [
  // Of its log.
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
  // Of its statuses.
  'The server does not implement the method',
  'Received no request message',
  'Received a second request message',
  'Received message larger than max',
  'Received message that decompresses to a size larger than',
  'Received message compressed with unsupported encoding',
  'Failed to decompress message',
  'Sent message larger than max',
  'Invalid grpc-timeout value',
  'Deadline exceeded',
];

/** Returns the beginning of a text of grpc-js that has no values in it; undefined for an unknown text. */
export function withoutValues(text: string): string | undefined {
  return beginnings.find((each) => text.startsWith(each));
}
