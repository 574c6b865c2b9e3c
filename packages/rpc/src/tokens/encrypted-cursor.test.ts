import { createHash, createHmac } from 'node:crypto';
import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { encryptionKeys } from '../testing/encryption-keys.ts';
import { createEncryptedCursors } from './encrypted-cursor.ts';

const method = 'WatchEchoes';
const secret = Buffer.alloc(32, 1);
const newer = Buffer.alloc(32, 2);
const cursors = createEncryptedCursors(encryptionKeys(secret), method);
const bytesOf = (token: string) => Buffer.from(token, 'base64url');

test('a token shows neither its cursor nor its filters', () => {
  const token = bytesOf(cursors.encrypt(['alice'], '4711'));
  for (const text of ['4711', 'alice', method]) expect(token.includes(text)).toBe(false);
});

test('two tokens of one cursor have nothing in common but the id of the key', () => {
  const [first, second] = [bytesOf(cursors.encrypt([], '1')), bytesOf(cursors.encrypt([], '1'))];
  expect(first.subarray(0, 4)).toEqual(second.subarray(0, 4));
  for (let at = 4; at + 4 <= first.length; at += 4)
    expect(first.subarray(at, at + 4)).not.toEqual(second.subarray(at, at + 4));
});

test.each([
  ['1', String(2n ** 63n)],
  ['', 'x'.repeat(126)],
])('the tokens of %j and %j have the same length', (short, long) => {
  expect(cursors.encrypt(['alice'], short)).toHaveLength(cursors.encrypt(['alice'], long).length);
});

test('the token of the longest cursor fits into 1,024 characters, and a longer cursor is an error', () => {
  const longest = 'x'.repeat(638);
  const token = cursors.encrypt([], longest);
  expect(token.length).toBeLessThanOrEqual(1024);
  expect(cursors.decrypt([], token)).toBe(longest);
  expect(() => cursors.encrypt([], `${longest}x`)).toThrow('638');
});

test('a token that is altered, cut, extended or encoded differently is not decrypted', () => {
  const token = cursors.encrypt(['alice'], '7');
  const bytes = bytesOf(token);
  const lengths = Array.from({ length: bytes.length }, (_, length) =>
    bytes.subarray(0, length).toString('base64url'),
  );
  const others = [
    ...lengths,
    `${token}A`,
    `${token}AAAA`,
    `${token}=`,
    `${token}\n`,
    ` ${token}`,
    `${token.slice(0, 10)}!${token.slice(10)}`,
    Buffer.concat([bytes, Buffer.alloc(128)]).toString('base64url'),
    Buffer.concat([bytes.subarray(0, 28), Buffer.alloc(128), bytes.subarray(28)]).toString('base64url'),
  ];
  for (const other of others) expect(cursors.decrypt(['alice'], other)).toBeUndefined();
  expect(cursors.decrypt(['alice'], token)).toBe('7');
});

test('no other text is decrypted as a token, and none throws', () => {
  const prefix = bytesOf(cursors.encrypt([], '1')).subarray(0, 4);
  const afterId = fastCheck
    .uint8Array({ maxLength: 300 })
    .map((rest) => Buffer.concat([prefix, rest]).toString('base64url'));
  fastCheck.assert(
    fastCheck.property(fastCheck.oneof(fastCheck.string(), afterId), (token) => {
      expect(cursors.decrypt([], token)).toBeUndefined();
    }),
  );
});

test('the newest key encrypts, and older ones still decrypt', () => {
  const rotated = createEncryptedCursors(encryptionKeys(newer, secret), method);
  expect(rotated.decrypt([], cursors.encrypt([], '7'))).toBe('7');
  expect(cursors.decrypt([], rotated.encrypt([], '7'))).toBeUndefined();
  expect(createEncryptedCursors(encryptionKeys(newer), method).decrypt([], rotated.encrypt([], '7'))).toBe(
    '7',
  );
});

test('a token of an unknown key is UNAVAILABLE while the keys are stale, and unknown otherwise', () => {
  const token = createEncryptedCursors(encryptionKeys(newer), method).encrypt([], '7');
  expect(createEncryptedCursors(encryptionKeys(secret), method).decrypt([], token)).toBeUndefined();
  const stale = createEncryptedCursors({ ...encryptionKeys(secret), isStale: true }, method);
  expect(() => stale.decrypt([], token)).toThrow(expect.objectContaining({ code: Code.UNAVAILABLE }));
  expect(stale.decrypt([], cursors.encrypt([], '7'))).toBe('7');
});

test('a token in the format before encryption is accepted with the same checks', () => {
  const macToken = (filters: string[], cursor: string) => {
    const boundTo = createHash('sha256')
      .update(JSON.stringify([method, filters]))
      .digest();
    const mac = createHmac('sha256', secret).update(boundTo).update(cursor).digest().subarray(0, 16);
    return Buffer.concat([mac, Buffer.from(cursor)]).toString('base64url');
  };
  const token = macToken(['alice'], '4711');
  expect(createEncryptedCursors(encryptionKeys(newer, secret), method).decrypt(['alice'], token)).toBe(
    '4711',
  );
  expect(cursors.decrypt(['bob'], token)).toBeUndefined();
  expect(
    createEncryptedCursors(encryptionKeys(secret), 'WatchPings').decrypt(['alice'], token),
  ).toBeUndefined();
  expect(createEncryptedCursors(encryptionKeys(newer), method).decrypt(['alice'], token)).toBeUndefined();
  expect(cursors.decrypt(['alice'], `${token.slice(0, -1)}A`)).toBeUndefined();
});
