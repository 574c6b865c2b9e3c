import { runDetached } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from './token-source.ts';

export interface ExpiringToken {
  readonly token: string;
  /** In ms since the epoch. */
  readonly expiresAtMs: number;
}

/** Requests a token from an issuer. The signal is aborted after 10 s, when the answer would be ignored. */
export type TokenIssuer = (signal: AbortSignal) => Promise<ExpiringToken>;

/** A token is renewed this long before it expires, because clocks differ and issuers have outages. */
const renewBeforeMs = 60_000;

/** Time limit of a request to the issuer. Later calls would otherwise wait for an issuer that never answers. */
const issuerTimeoutMs = 10_000;

/** Minimum time between requests to a failing issuer while the token is still valid. */
const retryAfterMs = 1_000;

/**
 * Returns a token source that caches the issuer's token. All calls that wait for a token share one request, and a token is
 * renewed in the background while it is still valid. A failing issuer has no effect until then.
 *
 * The source rejects with UNAVAILABLE if it has no valid token and the issuer does not answer within 10 s, and with the
 * issuer's own error if it fails.
 *
 * @param now Wall clock, in ms since the epoch.
 */
export function cachedToken(issuer: TokenIssuer, now: () => number = Date.now): TokenSource {
  let current: (ExpiringToken & { readonly renewAtMs: number }) | undefined;
  let renewal: Promise<string> | undefined;
  let retryAtMs = 0;

  const renew = () => {
    renewal ??= requestToken(issuer, now)
      .then((fresh) => {
        // A token with a lifetime below two minutes is renewed half-way.
        const leadMs = Math.min(renewBeforeMs, (fresh.expiresAtMs - now()) / 2);
        current = { ...fresh, renewAtMs: fresh.expiresAtMs - leadMs };
        return fresh.token;
      })
      .finally(() => {
        retryAtMs = now() + retryAfterMs;
        renewal = undefined;
      });
    return renewal;
  };

  return () => {
    const nowMs = now();
    if (!current || nowMs >= current.expiresAtMs) return renew();
    if (nowMs >= current.renewAtMs && nowMs >= retryAtMs) renew().catch(() => {});
    return current.token;
  };
}

/** Detached from the call that is first to need a token, because other calls wait for it too. */
async function requestToken(issuer: TokenIssuer, now: () => number): Promise<ExpiringToken> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new RpcError(
      Code.UNAVAILABLE,
      `the issuer returned no token within ${issuerTimeoutMs} ms`,
    );
    controller.abort(reason);
    reject(reason);
  }, issuerTimeoutMs);
  try {
    const token = await Promise.race([runDetached(() => issuer(controller.signal)), late]);
    if (!(token.expiresAtMs > now()))
      throw new RpcError(Code.UNAUTHENTICATED, 'the issuer returned a token that has expired');
    return token;
  } finally {
    clearTimeout(timer);
  }
}
