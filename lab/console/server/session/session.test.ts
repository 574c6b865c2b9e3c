import { expect, test } from 'vitest';
import { openSession, type SessionAccess } from './session.ts';

test('the tokens of a session are valid for ten minutes', async () => {
  const token: SessionAccess['token'] = async (_subject, _scopes, _audience, ttlSeconds = 86_400) => {
    const claims = Buffer.from(JSON.stringify({ exp: 1_000_000 + ttlSeconds })).toString('base64url');
    return `header.${claims}.signature`;
  };
  const webUrls = { orders: 'http://127.0.0.1:1', inventory: 'http://127.0.0.1:2' };
  expect(await openSession({ token, webUrls })).toMatchObject({ expiresAtMs: 1_000_600_000 });
});
