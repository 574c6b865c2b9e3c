import type { EncryptionKeys } from './encrypted-cursor.ts';
import { createOpaqueTokens, type OpaqueTokens } from './opaque-token.ts';

/** Issues and checks the resume tokens of a method that watches. */
export type ResumeTokens = OpaqueTokens;

/**
 * Returns the resume tokens of a method. A token holds a place in a feed.
 *
 * @param method The method's name; tokens of another method are rejected.
 */
export function createResumeTokens(keys: EncryptionKeys, method: string): ResumeTokens {
  return createOpaqueTokens(keys, method, {
    field: 'resume_token',
    description: 'must be the resume_token of a watch with the same filters',
    reason: 'resume_token.forged',
  });
}
