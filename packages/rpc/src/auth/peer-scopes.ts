import { isSpiffeId } from '../grpc-js/peer-identity.ts';

/** The services that may call without a token, by the SPIFFE ID of their certificate, and what each may do. */
export type PeerScopes = ReadonlyMap<string, ReadonlySet<string>>;

/** How `parsePeerScopes` wants its text, for those who have to write it. */
export const peerScopesFormat = 'spiffe://domain/path=scope scope, further ones after a semicolon';

/** RFC 6749, section 3.3. */
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Reads `spiffe://acme.example/orders=inventory:reserve inventory:read; spiffe://…=…`; undefined when it is not that. */
export function parsePeerScopes(text: string): PeerScopes | undefined {
  const peers = new Map<string, ReadonlySet<string>>();
  for (const entry of text.split(';')) {
    // The last of a list may end in a semicolon.
    if (!entry.trim()) continue;
    const [id = '', list = '', ...rest] = entry.split('=').map((part) => part.trim());
    const scopes = list.split(/\s+/);
    const isRead = isSpiffeId(id) && rest.length === 0 && scopes.every((scope) => scopePattern.test(scope));
    if (!isRead || peers.has(id)) return undefined;
    peers.set(id, new Set(scopes));
  }
  return peers;
}
