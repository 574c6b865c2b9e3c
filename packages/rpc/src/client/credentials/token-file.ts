import { readFile } from 'node:fs/promises';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from './token-source.ts';

/** Time for which a token is used before the file is read again, in ms. */
const rereadEveryMs = 10_000;

/**
 * Returns a token source that reads a file, as Kubernetes and Vault write and renew it. The file is read again after 10 s.
 * The last token stays in use while the file cannot be read or is empty.
 *
 * The source rejects with UNAUTHENTICATED, naming the file, if it has never read a token.
 */
export function tokenFile(path: string): TokenSource {
  /** A string once it has been read, so that calls get it synchronously. */
  let token: string | Promise<string> | undefined;
  let readAtMs = 0;
  const read = async (lastGood: typeof token) => {
    try {
      token = await readToken(path);
    } catch (cause) {
      token = lastGood;
      if (token === undefined)
        throw new RpcError(Code.UNAUTHENTICATED, `no token can be read from ${path}`, { cause });
    }
    return token;
  };
  return () => {
    if (token === undefined || performance.now() - readAtMs >= rereadEveryMs) {
      readAtMs = performance.now();
      token = read(token);
    }
    return token;
  };
}

async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, 'utf8')).trim();
  if (!token) throw new Error('the file is empty'); // while it is being written
  return token;
}
