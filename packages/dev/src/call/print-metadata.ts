import type { CallOptions } from '@acme/rpc/client';

type Metadata = Parameters<NonNullable<CallOptions['onHeaders']>>[0];

/** Options of a call that prints the headers and the trailers of its response on stderr. */
export const printMetadata: CallOptions = {
  onHeaders: (headers) => print('header', headers),
  onTrailers: (trailers) => print('trailer', trailers),
};

function print(kind: string, metadata: Metadata): void {
  for (const [key, values] of Object.entries(metadata.toJSON()))
    for (const value of values)
      process.stderr.write(
        `${kind} ${key}: ${typeof value === 'string' ? value : value.toString('base64')}\n`,
      );
}
