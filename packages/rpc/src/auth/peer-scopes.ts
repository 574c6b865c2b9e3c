import { isSpiffeId } from '../grpc-js/peer-identity.ts';
import { isScope } from './scopes.ts';

/** Scopes of the services that may call without a token, by the SPIFFE ID of their certificate. */
export type PeerScopes = ReadonlyMap<string, ReadonlySet<string>>;

/** The form that `parsePeerScopes` accepts, for error messages and documentation. */
export const peerScopesFormat = 'spiffe://domain/path=scope scope, separated by semicolons';

/** Parses `spiffe://acme.example/orders=inventory:reserve inventory:read; spiffe://…=…`. Returns undefined for other texts. */
export function parsePeerScopes(text: string): PeerScopes | undefined {
  const peers = new Map<string, ReadonlySet<string>>();
  for (const entry of text.split(';')) {
    // A list may end in a semicolon.
    if (!entry.trim()) continue;
    const [id = '', list = '', ...rest] = entry.split('=').map((part) => part.trim());
    const scopes = list.split(/\s+/);
    const isRead = isSpiffeId(id) && rest.length === 0 && scopes.every(isScope);
    if (!isRead || peers.has(id)) return undefined;
    peers.set(id, new Set(scopes));
  }
  return peers;
}
