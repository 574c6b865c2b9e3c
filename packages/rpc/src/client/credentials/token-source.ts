/** Returns the bearer token to send, synchronously if it is known. */
export type TokenSource = () => string | Promise<string>;
