import { expect, test } from 'vitest';
import type { KeySet } from './key-set.ts';
import { createTokenCache, tokenKey } from './token-cache.ts';

const keys = {} as KeySet;
const verified = (subject: string, scopes: string[] = []) => ({
  principal: { subject, scopes: new Set(scopes) },
  keys,
  verifiedAtMs: 0,
  validUntilMs: 3_600_000,
});

test('a cached token counts only with the keys that verified it', () => {
  const cache = createTokenCache();
  cache.set('token', verified('anna'));
  expect(cache.get('token', keys, 1)?.subject).toBe('anna');
  expect(cache.get('token', {} as KeySet, 1)).toBeUndefined();
});

test('the oldest of 10,001 tokens is evicted', () => {
  const cache = createTokenCache();
  for (let index = 0; index <= 10_000; index++) cache.set(String(index), verified('anna'));
  expect(cache.get('0', keys, 1)).toBeUndefined();
  expect(cache.get('1', keys, 1)).toBeDefined();
  expect(cache.get('10000', keys, 1)).toBeDefined();
});

test('tokens with many scopes are evicted before they take more than 8 MiB', () => {
  const cache = createTokenCache();
  const scopes = Array.from({ length: 256 }, (_, index) => `scope-${index}-of-a-verbose-issuer`);
  for (let index = 0; index < 1_000; index++) cache.set(String(index), verified('anna', scopes));
  const cached = Array.from({ length: 1_000 }, (_, index) => cache.get(String(index), keys, 1)).filter(
    Boolean,
  );
  expect(cached.length).toBeGreaterThan(100);
  expect(cached.length * 256 * 'scope-100-of-a-verbose-issuer'.length * 2).toBeLessThan(8 * 1024 * 1024);
  expect(cache.get('999', keys, 1)).toBeDefined();
});

test('the key of a token has a fixed length and contains no part of the token', () => {
  const token = `canary-${'x'.repeat(8_000)}`;
  expect(tokenKey(token)).toHaveLength(44);
  expect(tokenKey(token)).not.toContain('canary');
});
