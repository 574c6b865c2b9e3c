import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const macBytes = 16;

/**
 * Returns the cursor of a token in the format before encryption, `mac (16) | cursor`; undefined for any other token.
 * Resume tokens are valid for a week. Remove this file a week after the last replica that issued such tokens has stopped
 * (ADR 22).
 */
export function verifyMacCursor(
  secrets: readonly Uint8Array[],
  method: string,
  filters: readonly string[],
  token: Buffer,
): string | undefined {
  const [mac, cursor] = [token.subarray(0, macBytes), token.subarray(macBytes)];
  if (mac.length !== macBytes) return undefined;
  const boundTo = createHash('sha256')
    .update(JSON.stringify([method, filters]))
    .digest();
  const isSignedWith = (secret: Uint8Array) => {
    const expected = createHmac('sha256', secret).update(boundTo).update(cursor).digest();
    return timingSafeEqual(mac, expected.subarray(0, macBytes));
  };
  return secrets.some(isSignedWith) ? cursor.toString('utf8') : undefined;
}
