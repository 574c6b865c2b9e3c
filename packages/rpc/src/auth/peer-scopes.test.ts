import { expect, test } from 'vitest';
import { parsePeerScopes } from './peer-scopes.ts';

test.each<[string, [string, string[]][]]>([
  ['', []],
  ['spiffe://a/orders=echo:read', [['spiffe://a/orders', ['echo:read']]]],
  [
    ' spiffe://a/orders = echo:write  echo:read ;\n spiffe://b/x=y; ',
    [
      ['spiffe://a/orders', ['echo:write', 'echo:read']],
      ['spiffe://b/x', ['y']],
    ],
  ],
])('ensure %j is read', (text, expected) => {
  const peers = [...(parsePeerScopes(text) ?? [])].map(([id, scopes]) => [id, [...scopes]]);
  expect(peers).toEqual(expected);
});

test.each([
  'orders=echo:read',
  'spiffe://a=echo:read',
  'spiffe://a/orders',
  'spiffe://a/orders=',
  'spiffe://a/orders=echo:read=echo:write',
  'spiffe://a/orders="echo:read"',
  'spiffe://a/orders=echo:read, spiffe://b/x=y',
  'spiffe://a/orders=read; spiffe://a/orders=write',
])('ensure %j is refused', (text) => {
  expect(parsePeerScopes(text)).toBe(undefined);
});
