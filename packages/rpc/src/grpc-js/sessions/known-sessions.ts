import type { Http2Session } from 'node:http2';

const isKnown = Symbol('an authenticated caller has called');

interface MarkedSession extends Http2Session {
  [isKnown]?: true;
}

/** Marks a connection on which a call has been authenticated. */
export function markKnown(session: Http2Session | undefined): void {
  if (session) (session as MarkedSession)[isKnown] = true;
}

export function isKnownSession(session: Http2Session): boolean {
  return (session as MarkedSession)[isKnown] === true;
}
