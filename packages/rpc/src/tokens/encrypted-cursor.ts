import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { getOrInsert } from '../node-24/get-or-insert.ts';
import { verifyMacCursor } from './mac-cursor.ts';

/** Encrypts cursors into tokens that callers can neither read nor alter. */
export interface EncryptedCursors {
  /** Returns a token for this cursor, valid with these filters only. Throws for a cursor of more than 638 bytes. */
  encrypt(filters: readonly string[], cursor: string): string;
  /**
   * Returns the cursor of a token; undefined for a token that was not encrypted here, or was encrypted for other filters.
   * Throws UNAVAILABLE for a token of an unknown key while another replica may know the key.
   */
  decrypt(filters: readonly string[], token: string): string | undefined;
}

/** Secrets of at least 16 bytes, which replicas share and an operator rotates. */
export interface EncryptionKeys {
  /** Encrypts new tokens. */
  readonly active: Uint8Array;
  /** Decrypt tokens; `active` is one of them. */
  readonly all: readonly Uint8Array[];
  /** Whether `all` may lack a key that another replica already encrypts with. */
  readonly isStale: boolean;
}

/** A key derived from a secret for one method. */
interface MethodKey {
  /** The first bytes of a token. It differs between methods, so a token of another method has an unknown id. */
  readonly id: Buffer;
  readonly key: Buffer;
}

const idBytes = 4;
const keyBytes = 32;
const nonceBytes = 24;
const tagBytes = 16;
/** Cursors are padded to a multiple of this, so that a token's length does not reveal the size of a number. */
const blockBytes = 128;
const lengthBytes = 2;
/** With five blocks a token has 912 characters. Contracts allow 1,024. */
const maxCursorBytes = 5 * blockBytes - lengthBytes;

const algorithm = 'aes-256-gcm';
const gcmOptions = { authTagLength: tagBytes };

/**
 * Encrypts with AES-256-GCM: `id (4) | nonce (24) | ciphertext | tag (16)` in base64url. The method and the filters are
 * authenticated with it.
 *
 * @param method The method's name; tokens of another method are rejected.
 */
export function createEncryptedCursors(keys: EncryptionKeys, method: string): EncryptedCursors {
  const derived = new WeakMap<Uint8Array, MethodKey>();
  const keyOf = (secret: Uint8Array) => getOrInsert(derived, secret, () => deriveMethodKey(secret, method));
  const boundTo = (filters: readonly string[]) => Buffer.from(JSON.stringify([method, filters]));
  return {
    encrypt: (filters, cursor) => encrypt(keyOf(keys.active), boundTo(filters), cursor).toString('base64url'),
    decrypt: (filters, token) => {
      const bytes = Buffer.from(token, 'base64url');
      // Node skips characters that are not base64url.
      if (bytes.toString('base64url') !== token) return undefined;
      const secret = keys.all.find((each) => keyOf(each).id.equals(bytes.subarray(0, idBytes)));
      if (secret) return decrypt(keyOf(secret), boundTo(filters), bytes);
      const cursor = verifyMacCursor(keys.all, method, filters, bytes);
      if (cursor === undefined && keys.isStale) throw keyUnavailable();
      return cursor;
    },
  };
}

function deriveMethodKey(secret: Uint8Array, method: string): MethodKey {
  // The info text was chosen before the tokens were called encrypted. Another one would invalidate them.
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `sealed cursor of ${method}`, idBytes + keyBytes));
  return { id: bytes.subarray(0, idBytes), key: bytes.subarray(idBytes) };
}

/**
 * Derives the key of one token from half of its nonce; GCM uses the other half. XAES-256-GCM (C2SP) does the same with
 * CMAC instead of HMAC. GCM's own nonce of 96 random bits allows 2^32 tokens per key, which busy watches reach in days.
 */
function tokenKey({ key }: MethodKey, nonce: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(nonce.subarray(0, nonceBytes / 2))
    .digest();
}

function encrypt(key: MethodKey, boundTo: Buffer, cursor: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, tokenKey(key, nonce), nonce.subarray(nonceBytes / 2), gcmOptions);
  cipher.setAAD(boundTo);
  return Buffer.concat([key.id, nonce, cipher.update(pad(cursor)), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: MethodKey, boundTo: Buffer, token: Buffer): string | undefined {
  const nonce = token.subarray(idBytes, idBytes + nonceBytes);
  const ciphertext = token.subarray(idBytes + nonceBytes, -tagBytes);
  if (ciphertext.length === 0 || ciphertext.length % blockBytes !== 0) return undefined;
  const decipher = createDecipheriv(
    algorithm,
    tokenKey(key, nonce),
    nonce.subarray(nonceBytes / 2),
    gcmOptions,
  );
  decipher.setAAD(boundTo).setAuthTag(token.subarray(-tagBytes));
  try {
    return unpad(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  } catch {
    return undefined; // the tag does not match
  }
}

function pad(cursor: string): Buffer {
  const sizeBytes = Buffer.byteLength(cursor, 'utf8');
  if (sizeBytes > maxCursorBytes)
    throw new Error(`a cursor of ${sizeBytes} bytes cannot be encrypted: the limit is ${maxCursorBytes}`);
  const padded = Buffer.alloc(Math.ceil((lengthBytes + sizeBytes) / blockBytes) * blockBytes);
  padded.writeUInt16BE(sizeBytes);
  padded.write(cursor, lengthBytes, 'utf8');
  return padded;
}

function unpad(padded: Buffer): string {
  return padded.toString('utf8', lengthBytes, lengthBytes + padded.readUInt16BE());
}

function keyUnavailable(): RpcError {
  return new RpcError(Code.UNAVAILABLE, 'the token keys could not be read for a minute: try again');
}
