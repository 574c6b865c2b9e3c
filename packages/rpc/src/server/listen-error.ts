/** The server cannot listen on an address. */
export class ListenError extends Error {
  override name = 'ListenError';
  readonly address: string;

  constructor(address: string, cause: unknown) {
    super(`cannot listen on ${address}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    this.address = address;
  }
}
