import { expect, onTestFinished, test, vi } from 'vitest';
import { type CallContext, currentCall, runInCall } from '../../call/call-context.ts';
import { Code } from '../../errors/rpc-error.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { cachedToken, type ExpiringToken } from './cached-token.ts';

const lifeMs = 600_000;

/** An issuer of numbered tokens that expire after ten minutes of a manual clock. The test settles its requests. */
function startIssuer() {
  const clock = { nowMs: 1_000_000 };
  const pending: { answer: () => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  let requests = 0;
  const issuer = (signal: AbortSignal) => {
    const number = ++requests;
    const { promise, resolve, reject } = Promise.withResolvers<ExpiringToken>();
    const answer = () => resolve({ token: `token-${number}`, expiresAtMs: clock.nowMs + lifeMs });
    pending.push({ answer, fail: reject, signal });
    return promise;
  };
  const next = () => {
    const request = pending.shift();
    if (!request) throw new Error('the issuer got no request');
    return request;
  };
  const token = cachedToken(issuer, () => clock.nowMs);
  return { clock, token, next, requests: () => requests };
}

/** Waits until the callbacks of settled promises have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('simultaneous calls share one request to the issuer', async () => {
  const issuer = startIssuer();
  const tokens = [issuer.token(), issuer.token(), issuer.token()];
  issuer.next().answer();
  expect(await Promise.all(tokens)).toEqual(['token-1', 'token-1', 'token-1']);
  expect(await issuer.token()).toBe('token-1');
  expect(issuer.requests()).toBe(1);
});

test('a token is renewed a minute before it expires, and no call waits for the renewal', async () => {
  const issuer = startIssuer();
  const first = issuer.token();
  issuer.next().answer();
  await first;
  issuer.clock.nowMs += lifeMs - 60_001;
  expect(await issuer.token()).toBe('token-1');
  expect(issuer.requests()).toBe(1);
  issuer.clock.nowMs += 1;
  expect(await issuer.token()).toBe('token-1');
  expect(await issuer.token()).toBe('token-1');
  expect(issuer.requests()).toBe(2);
  issuer.next().answer();
  await settled();
  expect(await issuer.token()).toBe('token-2');
});

test('a token with a lifetime of a minute is renewed half-way, not at every call', async () => {
  let requests = 0;
  const clock = { nowMs: 0 };
  const issuer = async () => ({ token: `token-${++requests}`, expiresAtMs: clock.nowMs + 60_000 });
  const token = cachedToken(issuer, () => clock.nowMs);
  await token();
  clock.nowMs = 29_999;
  await token();
  expect(requests).toBe(1);
  clock.nowMs = 30_000;
  await token();
  expect(requests).toBe(2);
});

test('a failing issuer gets one request a second, and the token stays in use until it expires', async () => {
  using crashes = recordCrashes();
  const issuer = startIssuer();
  const first = issuer.token();
  issuer.next().answer();
  await first;
  issuer.clock.nowMs += lifeMs - 30_000;
  await issuer.token();
  issuer.next().fail(new Error('bad gateway'));
  await settled();
  issuer.clock.nowMs += 999;
  expect(await issuer.token()).toBe('token-1');
  expect(issuer.requests()).toBe(2);
  issuer.clock.nowMs += 1;
  expect(await issuer.token()).toBe('token-1');
  expect(issuer.requests()).toBe(3);
  issuer.next().fail(new Error('bad gateway'));
  await settled();
  issuer.clock.nowMs += 30_000;
  const late = issuer.token();
  issuer.next().fail(new Error('bad gateway'));
  await expect(late).rejects.toThrow('bad gateway');
  expect(crashes.reasons).toEqual([]);
});

test('the call after a failure sends a new request', async () => {
  const issuer = startIssuer();
  const first = issuer.token();
  issuer.next().fail(new Error('bad gateway'));
  await expect(first).rejects.toThrow('bad gateway');
  const second = issuer.token();
  issuer.next().answer();
  expect(await second).toBe('token-2');
});

test('a request to the issuer times out after ten seconds, and the next call sends a new one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const issuer = startIssuer();
  const first = issuer.token();
  const { signal } = issuer.next();
  vi.advanceTimersByTime(9_999);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(first).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  expect(signal.aborted).toBe(true);
  const second = issuer.token();
  issuer.next().answer();
  expect(await second).toBe('token-2');
});

test('a token that has expired on arrival is not used', async () => {
  const token = cachedToken(
    async () => ({ token: 'old', expiresAtMs: 1000 }),
    () => 1000,
  );
  await expect(token()).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('the request to the issuer is detached from the call that caused it', async () => {
  let callOfRequest: unknown = 'no request';
  const token = cachedToken(async () => {
    callOfRequest = currentCall();
    return { token: 'token-1', expiresAtMs: Number.POSITIVE_INFINITY };
  });
  await runInCall({ requestId: 'order-17' } as CallContext, async () => token());
  expect(callOfRequest).toBeUndefined();
});
