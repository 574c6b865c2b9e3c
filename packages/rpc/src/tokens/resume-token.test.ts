import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { encryptionKeys } from '../testing/encryption-keys.ts';
import { createPageTokens } from './page-token.ts';
import { createResumeTokens } from './resume-token.ts';

const key = encryptionKeys(Buffer.alloc(32, 1));
const tokens = createResumeTokens(key, 'WatchEchoes');

test('a token returns its place on every replica that has the key', () => {
  const replica = createResumeTokens(key, 'WatchEchoes');
  expect(replica.decrypt(['alice'], tokens.encrypt(['alice'], '7.1'))).toBe('7.1');
  expect(tokens.decrypt(['alice'], '')).toBeUndefined();
});

test('a token is rejected with other filters, another method or another key, or if it is altered', () => {
  const token = tokens.encrypt(['alice'], '7.1');
  const others = [
    () => tokens.decrypt(['bob'], token),
    () => tokens.decrypt(['alice'], `${token}A`),
    () => tokens.decrypt(['alice'], createPageTokens(key, 'ListEchoes').encrypt(['alice'], '7')),
    () => createResumeTokens(key, 'WatchPings').decrypt(['alice'], token),
    () => createResumeTokens(encryptionKeys(Buffer.alloc(32, 2)), 'WatchEchoes').decrypt(['alice'], token),
  ];
  for (const open of others) expect(open).toThrow(RpcError);
  expect(others[0]).toThrow(expect.objectContaining({ code: Code.INVALID_ARGUMENT }));
});
