import { randomBytes } from 'node:crypto';
import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.ts';
import { encryptionKeys } from '../testing/encryption-keys.ts';
import { createPageTokens, pageSizeOf } from './page-token.ts';

const key = randomBytes(32);
const method = 'testing.v1.EchoService/ListEchoes';
const tokens = createPageTokens(encryptionKeys(key), method);

function expectRejection(open: () => unknown): void {
  let refusal: unknown;
  try {
    refusal = open();
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(RpcError);
  const error = refusal as RpcError;
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.findDetail(BadRequestSchema)?.fieldViolations).toMatchObject([{ field: 'page_token' }]);
}

const text = fastCheck.string({ unit: 'grapheme' });
const filters = fastCheck.array(text, { maxLength: 3 });

test('a token returns its cursor on every replica that has the key', () => {
  const replica = createPageTokens(encryptionKeys(Buffer.from(key)), method);
  fastCheck.assert(
    fastCheck.property(filters, text, (chosen, cursor) => {
      expect(replica.decrypt(chosen, tokens.encrypt(chosen, cursor))).toBe(cursor);
    }),
  );
});

test('the empty token means the first page', () => {
  expect(tokens.decrypt(['A'], '')).toBe(undefined);
});

test('a token with any one bit changed is rejected', () => {
  const token = Buffer.from(tokens.encrypt(['A'], 'key-1'), 'base64url');
  for (let bit = 0; bit < token.length * 8; bit++) {
    const altered = Buffer.from(token);
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expectRejection(() => tokens.decrypt(['A'], altered.toString('base64url')));
  }
});

test('a token that was cut or extended is rejected', () => {
  const token = tokens.encrypt(['A'], 'key-1');
  for (let length = 1; length < token.length; length++)
    expectRejection(() => tokens.decrypt(['A'], token.slice(0, length)));
  expectRejection(() => tokens.decrypt(['A'], `${token}AAAA`));
});

test('a token is rejected with other filters', () => {
  fastCheck.assert(
    fastCheck.property(filters, filters, (chosen, others) => {
      fastCheck.pre(JSON.stringify(chosen) !== JSON.stringify(others));
      expectRejection(() => tokens.decrypt(others, tokens.encrypt(chosen, 'key-1')));
    }),
  );
  expectRejection(() => tokens.decrypt(['ab', 'c'], tokens.encrypt(['a', 'bc'], 'key-1')));
  expectRejection(() => tokens.decrypt([], tokens.encrypt([''], 'key-1')));
});

test('a token of another method or another key is rejected', () => {
  const pings = createPageTokens(encryptionKeys(key), 'testing.v1.PingService/ListPings');
  expectRejection(() => tokens.decrypt([], pings.encrypt([], 'key-1')));
  const foreign = createPageTokens(encryptionKeys(randomBytes(32)), method);
  expectRejection(() => tokens.decrypt([], foreign.encrypt([], 'key-1')));
});

test('any other text is rejected as a token', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.string({ minLength: 1 }), (token) => {
      expectRejection(() => tokens.decrypt([], token));
    }),
  );
});

test.each([
  [0, 50],
  [1, 1],
  [200, 200],
  [201, 200],
  [2 ** 31 - 1, 200],
])('page_size %i is served as %i', (requested, served) => {
  expect(pageSizeOf(requested)).toBe(served);
});
