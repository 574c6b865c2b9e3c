import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { writeAtomically } from '@acme/dev/cli';
import { HttpError } from './http-error.ts';

/** File of the data folder that keeps the key, so that a page stays usable when `npm start` is started again. */
const fileName = 'console-key';
const keyBytes = 16;

/** Returns a new key of the API. */
export function createConsoleKey(): string {
  // Some terminals end a link before a last hyphen, which base64url has.
  return randomBytes(keyBytes).toString('hex');
}

/** Returns the key that a data folder keeps. Creates folder and key if they are absent. Only the user of this process can read the key. */
export async function keptConsoleKey(dataFolder: string): Promise<string> {
  const file = join(dataFolder, fileName);
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  const key = createConsoleKey();
  await mkdir(dataFolder, { recursive: true });
  await writeAtomically(file, `${key}\n`, 0o600);
  return key;
}

/** Returns the URL of the page with the key. Browsers send a fragment to no server, and the page removes it. */
export function consoleUrl(port: number, key: string): string {
  return `http://127.0.0.1:${port}/#key=${key}`;
}

/**
 * Throws unless a request has the key, which other users of this machine do not know.
 *
 * @throws HttpError 401.
 */
export function requireKey({ headers }: IncomingMessage, key: string): void {
  const [, given = ''] = /^Bearer (.*)$/i.exec(headers.authorization ?? '') ?? [];
  // Hashes have the same length.
  if (!timingSafeEqual(hashOf(given), hashOf(key)))
    throw new HttpError(401, 'the key is missing or wrong: the console prints its URL with the key');
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
