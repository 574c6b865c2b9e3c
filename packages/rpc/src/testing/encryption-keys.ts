import type { EncryptionKeys } from '../tokens/encrypted-cursor.ts';

/** Returns the keys of a service that has read these secrets a moment ago, newest first. */
export function encryptionKeys(newest: Uint8Array, ...older: Uint8Array[]): EncryptionKeys {
  return { active: newest, all: [newest, ...older], isStale: false };
}
