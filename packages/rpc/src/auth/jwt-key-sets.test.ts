import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { audience, createSigningKeys, issuer } from '../testing/certificates/signing-keys.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { createJwtVerifier, type JwtOptions } from './jwt.ts';
import { openKeySet } from './key-set.ts';

const minuteMs = 60_000;

/** Options with a manual clock, and the logged lines. */
function makeOptions(jwks: string, options: Partial<JwtOptions> = {}) {
  const clock = { nowMs: Date.now() };
  const logLines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void logLines.push(JSON.parse(line)) });
  const now = () => clock.nowMs;
  const all: JwtOptions = {
    ...{ jwks, issuer, audience, clockToleranceSeconds: 5, developmentKeys: false, now, log },
    ...options,
  };
  return { clock, logLines, options: all };
}

/** A verifier that is closed at the end of the test. */
async function openVerifier(jwks: string, options: Partial<JwtOptions> = {}) {
  const made = makeOptions(jwks, options);
  const verifier = await createJwtVerifier(made.options);
  onTestFinished(verifier.close);
  return { ...made, ...verifier };
}

async function openReader(jwks: string) {
  const made = makeOptions(jwks);
  const reader = await openKeySet(made.options);
  onTestFinished(reader.close);
  /** Reads the set now, or joins a read that is under way. */
  const refresh = () => {
    made.clock.nowMs += 1_000;
    return reader.refreshForMissingKeys();
  };
  return { ...made, ...reader, refresh };
}

/** A web server on this machine whose response the test can change. */
async function serve(answer: RequestListener | object) {
  const web = { answer, requests: 0, url: '', requested: Promise.withResolvers<void>() };
  const server = createServer((request, response) => {
    web.requests += 1;
    web.requested.resolve();
    if (typeof web.answer === 'function') (web.answer as RequestListener)(request, response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(web.answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  web.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  });
  return web;
}

const status =
  (code: number): RequestListener =>
  (_request, response) =>
    response.writeHead(code).end('{"error":"down"}');

/** Waits for an assertion. Files are read once a second. */
const untilRead = (assertion: () => Promise<void>) =>
  vi.waitFor(assertion, { timeout: 10_000, interval: 50 });

describe('at the start', () => {
  test('a file with a development key is rejected where those are not allowed', async () => {
    await using keys = await createSigningKeys('dev-1');
    await expect(openVerifier(keys.jwks)).rejects.toThrow('holds a development key');
    const { verify } = await openVerifier(keys.jwks, { developmentKeys: true });
    await verify(await keys.sign());
  });

  test.each([
    ['a file that is missing', '/nowhere/jwks.json'],
    ['a file that is no JSON', import.meta.filename],
    ['a file that is no key set', fileURLToPath(new URL('../../package.json', import.meta.url))],
    ['a file without end', '/dev/zero'],
    ['a URL that is neither encrypted nor on this machine', 'http://127.0.0.1.evil.test/jwks.json'],
    ['a URL of another scheme', 'ftp://127.0.0.1/jwks.json'],
  ])('%s is rejected with its name', async (_name, jwks) => {
    await expect(openVerifier(jwks)).rejects.toThrow(`no JWK Set can be read from ${jwks}`);
  });

  test('a URL whose user name looks like this machine is rejected, and its password is not shown', async () => {
    const error = await openVerifier('http://127.0.0.1:secret@evil.test/jwks.json').catch(String);
    expect(error).toContain('contains a user name or a password');
    expect(error).not.toContain('secret');
  });

  test('a file without a usable key is rejected with the reasons', async () => {
    await using keys = await createSigningKeys();
    await writeFile(keys.jwks, JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'shared' }] }));
    await expect(openVerifier(keys.jwks)).rejects.toThrow('has no usable key: key "shared" is symmetric');
  });
});

describe('a file', () => {
  test('an added key is used, and a withdrawn one is not even for a token that was verified before', async () => {
    await using keys = await createSigningKeys('old');
    await using others = await createSigningKeys('new');
    const { cached, verify, logLines } = await openVerifier(keys.jwks);
    const [oldToken, newToken] = [await keys.sign(), await others.sign()];
    await verify(oldToken);
    expect(cached(oldToken)).toBeDefined();
    await replaceFile(keys.jwks, JSON.stringify({ keys: [others.publicKey] }));
    await untilRead(async () => {
      await verify(newToken);
    });
    expect(cached(oldToken)).toBeUndefined();
    expect(await rejectionOf(verify(oldToken))).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(logLines).toMatchObject([{ msg: 'JWK Set replaced', keys: 1 }]);
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ['is gone', (file) => rm(file)],
    ['is empty', (file) => writeFile(file, '')],
    ['is partly written', (file) => writeFile(file, '{"keys":[{"kty":"EC"')],
  ])('the last good keys stay in use while the file %s, with one log line', async (_name, spoil) => {
    await using keys = await createSigningKeys();
    const { current, refresh, logLines } = await openReader(keys.jwks);
    const good = current();
    await spoil(keys.jwks);
    for (let reads = 0; reads < 3; reads++) await refresh();
    expect(current()).toBe(good);
    expect(logLines).toMatchObject([
      { level: 40, jwks: keys.jwks, msg: 'JWK Set cannot be read: the last good keys stay for an hour' },
    ]);
    await writeFile(keys.jwks, JSON.stringify({ keys: [keys.publicKey] }));
    await refresh();
    expect(logLines.at(-1)).toMatchObject({ msg: 'JWK Set can be read again' });
  });

  test('the same text again is the same version, and another text is a new one', async () => {
    await using keys = await createSigningKeys();
    const { current, refresh } = await openReader(keys.jwks);
    const first = current();
    await refresh();
    expect(current()).toBe(first);
    await writeFile(keys.jwks, JSON.stringify({ keys: [keys.publicKey, { kty: 'oct', k: 'c2VjcmV0' }] }));
    await refresh();
    expect(current()).not.toBe(first);
  });

  test('an empty set withdraws all keys', async () => {
    await using keys = await createSigningKeys();
    const { verify } = await openVerifier(keys.jwks);
    const token = await keys.sign();
    await verify(token);
    await replaceFile(keys.jwks, '{"keys":[]}');
    await untilRead(async () => {
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
    });
  });
});

describe('a URL', () => {
  test('the keys of the URL are used', async () => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { verify } = await openVerifier(web.url);
    expect(await verify(await keys.sign())).toMatchObject({ subject: 'anna' });
  });

  test('a token signed with a development key is rejected where those are not allowed', async () => {
    await using keys = await createSigningKeys('dev-1');
    const web = await serve({ keys: [keys.publicKey] });
    const { verify, logLines } = await openVerifier(web.url);
    for (const token of [await keys.sign(), await keys.sign({}, { kid: undefined })])
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(logLines[0]).toMatchObject({
      problems: ['key "dev-1" is a development key, which production does not accept'],
    });
    const lenient = await openVerifier(web.url, { developmentKeys: true });
    await lenient.verify(await keys.sign());
  });

  test('the set is read again every five minutes, and every ten seconds while it cannot be read', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await using keys = await createSigningKeys('old');
    await using others = await createSigningKeys('new');
    const web = await serve({ keys: [keys.publicKey] });
    const { current, refresh } = await openReader(web.url);
    const first = current();
    const requestsAfter = async (passedMs: number) => {
      web.requested = Promise.withResolvers();
      vi.advanceTimersByTime(passedMs - 1);
      const before = web.requests;
      vi.advanceTimersByTime(1);
      await web.requested.promise;
      await refresh(); // joins the read that the timer has started
      return [before, web.requests];
    };
    web.answer = { keys: [others.publicKey] };
    expect(await requestsAfter(300_000)).toEqual([1, 2]);
    expect(current()).not.toBe(first);
    web.answer = status(500);
    expect(await requestsAfter(300_000)).toEqual([2, 3]);
    expect(await requestsAfter(10_000)).toEqual([3, 4]);
  });

  test('a token of a new key causes one read of the set for all waiting calls', async () => {
    await using keys = await createSigningKeys('old');
    await using others = await createSigningKeys('new');
    const web = await serve({ keys: [keys.publicKey] });
    const { clock, verify } = await openVerifier(web.url);
    web.answer = { keys: [keys.publicKey, others.publicKey] };
    clock.nowMs += 10_000;
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => others.sign({ sub })));
    expect(await Promise.all(tokens.map(verify))).toMatchObject([
      { subject: 'a' },
      { subject: 'b' },
      { subject: 'c' },
    ]);
    expect(web.requests).toBe(2);
  });

  test('tokens of unknown keys cause at most one read of the set in ten seconds', async () => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { clock, verify } = await openVerifier(web.url);
    clock.nowMs += 10_000;
    for (let index = 0; index < 30; index++) {
      const token = await keys.sign({}, { kid: `unknown-${index}` });
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
      clock.nowMs += 100;
    }
    expect(web.requests).toBe(2);
    await verify(await keys.sign());
  });

  const badAnswers: [string, RequestListener][] = [
    ['500', status(500)],
    ['404', status(404)],
    ['HTML', (_request, response) => response.writeHead(200).end('<html>maintenance</html>')],
    ['JSON that is no key set', (_request, response) => response.writeHead(200).end('{"error":"down"}')],
    ['a truncated set', (_request, response) => response.writeHead(200).end('{"keys":[{"kty"')],
    [
      'a redirect',
      ({ url }, response) =>
        url === '/other.json'
          ? response.writeHead(200).end('{"keys":[]}')
          : response.writeHead(302, { location: '/other.json' }).end(),
    ],
    ['a body without end', (_request, response) => void pourInto(response)],
    ['a connection that is cut', (request) => request.socket.destroy()],
  ];
  test.each(badAnswers)('%s does not drop the good keys', async (_name, answer) => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { current, isFailing, refresh, logLines } = await openReader(web.url);
    const good = current();
    web.answer = answer;
    await refresh();
    await refresh();
    expect(current()).toBe(good);
    expect(isFailing()).toBe(true);
    expect(logLines).toHaveLength(1);
  });

  test('a read times out after two seconds', async () => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { current, refresh, logLines } = await openReader(web.url);
    const good = current();
    web.answer = () => {};
    await refresh();
    expect(current()).toBe(good);
    expect(logLines).toMatchObject([{ problem: expect.stringContaining('timeout') }]);
  });

  test('the keys stay in use for an hour while the issuer cannot be reached, then tokens are UNAVAILABLE', async () => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { clock, cached, verify, logLines } = await openVerifier(web.url);
    web.answer = status(503);
    clock.nowMs += 10 * minuteMs;
    const exp = Math.floor(clock.nowMs / 1000) + 3 * 3600;
    const token = await keys.sign({ exp });
    await verify(token);
    // The key may be new, and the issuer cannot be reached.
    expect(await rejectionOf(verify(await keys.sign({ exp }, { kid: 'new' })))).toMatchObject({
      code: Code.UNAVAILABLE,
    });
    clock.nowMs += 50 * minuteMs - 1;
    await verify(await keys.sign({ exp, sub: 'bert' }));
    clock.nowMs += 1;
    expect(cached(token)).toBeUndefined();
    for (let calls = 0; calls < 3; calls++)
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAVAILABLE });
    expect(logLines.map(({ msg }) => msg)).toEqual([
      'JWK Set cannot be read: the last good keys stay for an hour',
      'JWK Set could not be read for an hour: tokens cannot be verified',
    ]);
    web.answer = { keys: [keys.publicKey] };
    clock.nowMs += 1_000;
    await verify(token);
  });

  test('a clock that jumps by an hour causes one read, and no call fails', async () => {
    await using keys = await createSigningKeys();
    const web = await serve({ keys: [keys.publicKey] });
    const { clock, verify } = await openVerifier(web.url);
    for (const jumpMs of [61 * minuteMs, -61 * minuteMs]) {
      clock.nowMs += jumpMs;
      await verify(await keys.sign({ exp: Math.floor(clock.nowMs / 1000) + 60 }));
    }
    expect(web.requests).toBe(3);
  });

  test.each([
    ['answers 500', status(500)],
    ['answers 404', status(404)],
    ['answers no key set', { error: 'down' }],
  ])('a token is UNAVAILABLE, not UNAUTHENTICATED, if the URL %s', async (_name, answer) => {
    await using keys = await createSigningKeys();
    const web = await serve(answer);
    const { clock, verify } = await openVerifier(web.url);
    for (let calls = 0; calls < 10; calls++)
      expect(await rejectionOf(verify(await keys.sign()))).toMatchObject({ code: Code.UNAVAILABLE });
    expect(web.requests).toBe(1);
    web.answer = { keys: [keys.publicKey] };
    clock.nowMs += 1_000;
    await verify(await keys.sign());
  });

  test('a token is UNAVAILABLE, not UNAUTHENTICATED, if the URL has no listener', async () => {
    await using keys = await createSigningKeys();
    const { verify, logLines } = await openVerifier('http://127.0.0.1:1/jwks.json');
    expect(await rejectionOf(verify(await keys.sign()))).toMatchObject({ code: Code.UNAVAILABLE });
    expect(logLines).toMatchObject([
      { problem: expect.stringMatching(/fetch failed|ECONNREFUSED|bad port/) },
    ]);
  });
});

/** Writes until the reader disconnects. */
function pourInto(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200);
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const pour = () => {
    while (!response.destroyed && response.write(chunk)) {}
  };
  response.on('drain', pour).on('error', () => {});
  pour();
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
