import { hash } from 'node:crypto';
import type { Principal } from '../call/call-context.ts';
import type { KeySet } from './key-set.ts';

/** A token that was verified. */
export interface VerifiedToken {
  readonly principal: Principal;
  /** The keys that verified it. Other keys have to verify it again. */
  readonly keys: KeySet;
  readonly verifiedAtMs: number;
  /** Expiry of the token, with the clock tolerance. */
  readonly validUntilMs: number;
}

/** Caches verified tokens by their hash, so that the memory of the process does not contain them. */
export interface TokenCache {
  /** Returns the principal of a token that these keys verified within the last five minutes. */
  get(key: string, keys: KeySet, nowMs: number): Principal | undefined;
  set(key: string, token: VerifiedToken): void;
}

const maxEntries = 10_000;
const maxSizeBytes = 8 * 1024 * 1024;
const maxAgeMs = 300_000;

/** The last token and its key: most calls carry the same token as the call before. */
let last = { token: '', key: '' };

/** Returns the key of a token in the cache. */
export function tokenKey(token: string): string {
  if (token !== last.token) last = { token, key: hash('sha256', token, 'base64') };
  return last.key;
}

export function createTokenCache(): TokenCache {
  const entries = new Map<string, VerifiedToken & { readonly sizeBytes: number }>();
  let totalBytes = 0;
  const remove = (key: string) => {
    totalBytes -= entries.get(key)?.sizeBytes ?? 0;
    entries.delete(key);
  };
  return {
    get: (key, keys, nowMs) => {
      const entry = entries.get(key);
      if (!entry || entry.keys !== keys || nowMs >= entry.validUntilMs) return undefined;
      const ageMs = nowMs - entry.verifiedAtMs;
      return ageMs >= 0 && ageMs < maxAgeMs ? entry.principal : undefined;
    },
    set: (key, token) => {
      remove(key);
      const sizeBytes = sizeOf(token.principal);
      // The oldest goes first.
      for (const oldest of entries.keys()) {
        if (entries.size < maxEntries && totalBytes + sizeBytes <= maxSizeBytes) break;
        remove(oldest);
      }
      entries.set(key, { ...token, sizeBytes });
      totalBytes += sizeBytes;
    },
  };
}

/** An upper estimate: two bytes per character, and the overhead of V8 for the entry and each scope. */
function sizeOf({ subject, scopes }: Principal): number {
  let sizeBytes = 512 + 2 * subject.length;
  for (const each of scopes) sizeBytes += 64 + 2 * each.length;
  return sizeBytes;
}
