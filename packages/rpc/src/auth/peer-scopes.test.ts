import { expect, test } from 'vitest';
import { parsePeerScopes } from './peer-scopes.ts';

test.each<[string, [string, string[]][]]>([
  ['', []],
  ['spiffe://a/orders=inventory:read', [['spiffe://a/orders', ['inventory:read']]]],
  [
    ' spiffe://a/orders = inventory:reserve  inventory:read ;\n spiffe://b/x=y; ',
    [
      ['spiffe://a/orders', ['inventory:reserve', 'inventory:read']],
      ['spiffe://b/x', ['y']],
    ],
  ],
])('ensure %j is read', (text, expected) => {
  const peers = [...(parsePeerScopes(text) ?? [])].map(([id, scopes]) => [id, [...scopes]]);
  expect(peers).toEqual(expected);
});

test.each([
  'orders=inventory:read',
  'spiffe://a=inventory:read',
  'spiffe://a/orders',
  'spiffe://a/orders=',
  'spiffe://a/orders=inventory:read=inventory:write',
  'spiffe://a/orders="inventory:read"',
  'spiffe://a/orders=inventory:read, spiffe://b/x=y',
  'spiffe://a/orders=read; spiffe://a/orders=write',
])('ensure %j is refused', (text) => {
  expect(parsePeerScopes(text)).toBe(undefined);
});
