import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { runDetached } from '../call/call-context.ts';
import { measureKeySet } from './key-set-metrics.ts';
import { type KeySetSource, keySetSource } from './key-set-source.ts';
import { type UsableKeys, usableKeys } from './usable-keys.ts';

export interface KeySetOptions {
  /** A JWK Set (RFC 7517): a file's path or an https URL; http only from this machine. */
  readonly jwks: string;
  /** Whether keys made for development are accepted; never in production. */
  readonly developmentKeys: boolean;
  /** Wall clock, in ms since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
}

/** One version of the keys. A set that has changed is another object. */
export interface KeySet {
  /** Returns the key that the token's header names. */
  readonly keyOf: JWTVerifyGetKey;
}

/** The keys that tokens are verified with, read again while the service runs. */
export interface KeySetReader {
  /** The last good keys; undefined if none were read within the last hour. */
  current(): KeySet | undefined;
  /** Whether the last attempt to read the set failed. */
  isFailing(): boolean;
  /** Reads the set for a token whose key is unknown, at most every 10 s from a URL. Never rejects. */
  refreshForUnknownKey(): Promise<void>;
  /** Reads the set when there are no current keys, at most once a second. Never rejects. */
  refreshForMissingKeys(): Promise<void>;
  /** Stops reading the set. */
  close(): void;
}

/** Intervals of reading a set: regularly, after a failure, and the minimum for unknown keys. */
const intervals = {
  file: { refreshMs: 1_000, retryMs: 1_000, unknownKeyMs: 100 },
  url: { refreshMs: 300_000, retryMs: 10_000, unknownKeyMs: 10_000 },
} as const;
const missingKeysMs = 1_000;

/** The last good keys stay in use this long while the issuer cannot be reached. */
const maxStaleMs = 3_600_000;

/**
 * Opens a JWK Set and reads it again regularly. If it cannot be read or parsed, the last good keys stay in use for an hour.
 * A set that was read replaces the keys as a whole, so a key that it no longer has is withdrawn.
 *
 * @throws Error if a file cannot be read, has no usable key, or has a development key where those are not accepted. A
 * URL may be unreachable at the start.
 */
export async function openKeySet(options: KeySetOptions): Promise<KeySetReader> {
  const { jwks, developmentKeys, now, log } = options;
  const source = keySetSource(jwks);
  const { refreshMs, retryMs, unknownKeyMs } = intervals[source.kind];
  let keySet: KeySet | undefined;
  let text = '';
  let readAtMs = now();
  let attemptedAtMs = Number.NEGATIVE_INFINITY;
  let problem = '';
  let isExpiryLogged = false;
  let failures = 0;
  let reading: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const replaceKeys = (fresh: string, usable: UsableKeys) => {
    readAtMs = now();
    if (keySet && fresh === text) return;
    if (usable.problems.length > 0)
      log.warn({ jwks: source.name, problems: usable.problems.slice(0, 10) }, 'keys of the JWK Set ignored');
    if (keySet) log.info({ jwks: source.name, keys: usable.keys.length }, 'JWK Set replaced');
    text = fresh;
    keySet = { keyOf: createLocalJWKSet({ keys: [...usable.keys] }) };
  };
  const isCurrent = () => isWithin(now() - readAtMs, maxStaleMs);
  const recordFailure = (failure: string) => {
    failures += 1;
    const fields = { jwks: source.name, problem: failure, age_s: Math.round((now() - readAtMs) / 1000) };
    const effect = keySet ? 'the last good keys stay for an hour' : 'tokens cannot be verified yet';
    // Logged once for each problem, not for each attempt.
    if (failure !== problem) log.warn(fields, `JWK Set cannot be read: ${effect}`);
    problem = failure;
    if (isCurrent() || isExpiryLogged) return;
    isExpiryLogged = true;
    log.error(fields, 'JWK Set could not be read for an hour: tokens cannot be verified');
  };
  const attempt = async () => {
    attemptedAtMs = now();
    try {
      const fresh = await source.read();
      replaceKeys(fresh, usableKeys(fresh, { developmentKeys }));
      if (problem) log.info({ jwks: source.name }, 'JWK Set can be read again');
      problem = '';
      isExpiryLogged = false;
    } catch (error) {
      recordFailure(messageOf(error));
    }
  };
  const schedule = () => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(refresh, problem ? retryMs : refreshMs).unref();
  };
  /** Reads the set, or joins a read that is under way. Detached, because a read that a call starts serves other calls too. */
  const refresh = () => {
    reading ??= runDetached(attempt).finally(() => {
      reading = undefined;
      schedule();
    });
    return reading;
  };
  const refreshAtMost = (everyMs: number) =>
    reading || !isWithin(now() - attemptedAtMs, everyMs) ? refresh() : Promise.resolve();

  if (source.kind === 'file') {
    const first = await readFirst(source, developmentKeys);
    replaceKeys(first.text, first.usable);
    schedule();
  } else await refresh();
  const stopMeasuring = measureKeySet(() => ({ ageS: Math.max(0, now() - readAtMs) / 1000, failures }));
  return {
    current: () => (isCurrent() ? keySet : undefined),
    isFailing: () => problem !== '',
    refreshForUnknownKey: () => refreshAtMost(unknownKeyMs),
    refreshForMissingKeys: () => refreshAtMost(missingKeysMs),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      stopMeasuring();
    },
  };
}

/** A wrong file fails the start, because the operator has just configured it. */
async function readFirst(source: KeySetSource, developmentKeys: boolean) {
  const { text, usable } = await source
    .read()
    .then((text) => ({ text, usable: usableKeys(text, { developmentKeys }) }))
    .catch((cause: unknown) => {
      throw new Error(`no JWK Set can be read from ${source.name}: ${messageOf(cause)}`, { cause });
    });
  if (usable.hasRejectedDevelopmentKey)
    throw new Error(
      `${source.name} holds a development key, which production does not accept: set AUTH_JWKS to your own`,
    );
  if (usable.keys.length === 0)
    throw new Error(`${source.name} has no usable key: ${usable.problems.join('; ') || 'it is empty'}`);
  return { text, usable };
}

/** An age is negative after the clock was set back. */
function isWithin(ageMs: number, maxMs: number): boolean {
  return ageMs >= 0 && ageMs < maxMs;
}

/** fetch keeps the reason of a failed connection in its cause. A parser quotes the text, so the message is cut. */
function messageOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`.slice(0, 200).toWellFormed();
}
