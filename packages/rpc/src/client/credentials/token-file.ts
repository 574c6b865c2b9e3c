import { readFile } from 'node:fs/promises';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from './token-source.ts';

/** How long a token that was read is used: renewing it on disk takes effect within this time. */
const rereadEveryMs = 10_000;

/**
 * The token that a file holds, as Kubernetes and Vault write it: renewed in place while the process runs. The last
 * good one is used on when the file cannot be read.
 */
export function tokenFile(path: string): TokenSource {
  /** As text once it has been read, so that a call need not wait for it. */
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
  if (!token) throw new Error('the file is empty'); // as it is while it is being written
  return token;
}
