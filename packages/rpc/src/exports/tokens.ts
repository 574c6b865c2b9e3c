// Page tokens, resume tokens and cursors, encrypted.
export {
  createEncryptedCursors,
  type EncryptedCursors,
  type EncryptionKeys,
} from '../tokens/encrypted-cursor.ts';
export { createPageTokens, type PageTokens, pageSizeOf } from '../tokens/page-token.ts';
export { createResumeTokens, type ResumeTokens } from '../tokens/resume-token.ts';
