/** Returns the bearer token to send, at once if it is known. */
export type TokenSource = () => string | Promise<string>;
