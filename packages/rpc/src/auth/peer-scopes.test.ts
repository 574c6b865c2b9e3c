import { expect, test } from 'vitest';
import { parsePeerScopes } from './peer-scopes.ts';

test.each<[string, [string, string[]][]]>([
  ['', []],
  ['spiffe://a/caller=echo:read', [['spiffe://a/caller', ['echo:read']]]],
  [
    ' spiffe://a/caller = echo:write  echo:read ;\n spiffe://b/x=y; ',
    [
      ['spiffe://a/caller', ['echo:write', 'echo:read']],
      ['spiffe://b/x', ['y']],
    ],
  ],
])('%j is parsed', (text, expected) => {
  const peers = [...(parsePeerScopes(text) ?? [])].map(([id, scopes]) => [id, [...scopes]]);
  expect(peers).toEqual(expected);
});

test.each([
  'caller=echo:read',
  'spiffe://a=echo:read',
  'spiffe://a/caller',
  'spiffe://a/caller=',
  'spiffe://a/caller=echo:read=echo:write',
  'spiffe://a/caller="echo:read"',
  'spiffe://a/caller=echo:read, spiffe://b/x=y',
  'spiffe://a/caller=read; spiffe://a/caller=write',
])('%j is rejected', (text) => {
  expect(parsePeerScopes(text)).toBe(undefined);
});
