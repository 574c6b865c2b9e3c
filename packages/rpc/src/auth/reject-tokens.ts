import { Code, RpcError } from '../errors/rpc-error.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** Rejects every token, on a server all of whose methods are anonymous. */
export const rejectTokens: TokenVerifier = {
  cached: () => undefined,
  verify: async () => {
    throw new RpcError(Code.UNAUTHENTICATED, 'the server accepts no token: send no `authorization`');
  },
};
