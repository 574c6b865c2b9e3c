const loopback = String.raw`(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?`;
/** `ipv4:` and `ipv6:` take several addresses: each of them must be this machine's. */
const loopbackTarget = new RegExp(`^(unix:.*|((dns|ipv4|ipv6):/*)?${loopback}(,${loopback})*)$`);

/** Whether a target names this machine and nothing else. */
export function isLoopback(target: string): boolean {
  return loopbackTarget.test(target);
}

/**
 * Throws unless a target names this machine and nothing else. A token is not sent to another machine in plain text, where
 * anyone on the way could read and use it.
 */
export function requireLoopback(target: string): void {
  if (!isLoopback(target))
    throw new Error(
      `refusing to send a token to ${target} in plain text: only loopback addresses are reached so`,
    );
}
