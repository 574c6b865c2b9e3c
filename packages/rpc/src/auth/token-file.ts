import { readFile } from 'node:fs/promises';
import type { TokenSource } from '../client/call-options.ts';
import { Code, RpcError } from '../errors.ts';

/** How long a token that was read is used: renewing it on disk takes effect within this time. */
const rereadEveryMs = 10_000;

/**
 * The token that a file holds, as Kubernetes and Vault write it: renewed in place while the process runs. The last
 * good one is used on when the file cannot be read.
 */
export function tokenFile(path: string): TokenSource {
  let token: Promise<string> | undefined;
  let readAtMs = 0;
  return () => {
    if (token && performance.now() - readAtMs < rereadEveryMs) return token;
    const lastGood = token;
    readAtMs = performance.now();
    token = readToken(path).catch((cause: unknown) => {
      if (lastGood) return lastGood;
      token = undefined;
      throw new RpcError(Code.UNAUTHENTICATED, `no token can be read from ${path}`, { cause });
    });
    return token;
  };
}

async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, 'utf8')).trim();
  if (!token) throw new Error('the file is empty'); // as it is while it is being written
  return token;
}
