import { runDetached } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from './token-source.ts';

export interface ExpiringToken {
  readonly token: string;
  /** In ms since the epoch. */
  readonly expiresAtMs: number;
}

/** Asks an issuer for a token; the signal is aborted when the answer is no longer waited for. */
export type TokenIssuer = (signal: AbortSignal) => Promise<ExpiringToken>;

/** How long before it expires a token is renewed: clocks differ, and issuers have bad minutes. */
const renewBeforeMs = 60_000;

/** How long an issuer is waited for: one that never answers must not hold up the calls after this one. */
const issuerTimeoutMs = 10_000;

/** How often an issuer that fails is asked while there still is a good token. */
const askAgainAfterMs = 1_000;

/**
 * A token source that asks the issuer when it must: once for all calls that wait for it, and in the background while
 * the token it has is still good. An issuer that fails costs nothing until that token has expired.
 *
 * @param now Wall clock, in ms since the epoch.
 * @throws RpcError UNAVAILABLE when there is no good token and the issuer gives none in time; the issuer's own error
 * when it fails.
 */
export function cachedToken(issuer: TokenIssuer, now: () => number = Date.now): TokenSource {
  let current: (ExpiringToken & { readonly renewAtMs: number }) | undefined;
  let renewal: Promise<string> | undefined;
  let askAgainAtMs = 0;

  const renew = () => {
    renewal ??= ask(issuer, now)
      .then((fresh) => {
        // One that lives shorter than that is renewed half-way.
        const leadMs = Math.min(renewBeforeMs, (fresh.expiresAtMs - now()) / 2);
        current = { ...fresh, renewAtMs: fresh.expiresAtMs - leadMs };
        return fresh.token;
      })
      .finally(() => {
        askAgainAtMs = now() + askAgainAfterMs;
        renewal = undefined;
      });
    return renewal;
  };

  return () => {
    const nowMs = now();
    if (!current || nowMs >= current.expiresAtMs) return renew();
    if (nowMs >= current.renewAtMs && nowMs >= askAgainAtMs) renew().catch(() => {});
    return current.token;
  };
}

/** Asks outside of the call that happens to be the first: others wait for the answer too. */
async function ask(issuer: TokenIssuer, now: () => number): Promise<ExpiringToken> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new RpcError(Code.UNAVAILABLE, `the issuer gave no token within ${issuerTimeoutMs} ms`);
    controller.abort(reason);
    reject(reason);
  }, issuerTimeoutMs);
  try {
    const token = await Promise.race([runDetached(() => issuer(controller.signal)), late]);
    if (!(token.expiresAtMs > now()))
      throw new RpcError(Code.UNAUTHENTICATED, 'the issuer gave a token that has expired');
    return token;
  } finally {
    clearTimeout(timer);
  }
}
