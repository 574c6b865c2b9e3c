const loopback = String.raw`(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?`;
/** `ipv4:` and `ipv6:` take several addresses, each of which must be a loopback address. */
const loopbackTarget = new RegExp(`^(unix:.*|((dns|ipv4|ipv6):/*)?${loopback}(,${loopback})*)$`);

/** Returns whether an address to listen on or a target to call is this machine and nothing else. */
export function isLoopback(target: string): boolean {
  return loopbackTarget.test(target);
}

/**
 * Checks that a token for the target is encrypted or stays on this machine.
 *
 * @throws Error that names the target.
 */
export function requireSecureOrLoopback(target: string, isSecure: boolean): void {
  if (!isSecure && !isLoopback(target))
    throw new Error(
      `cannot send a token to ${target} in plain text: use TLS, or a target on the loopback interface`,
    );
}
