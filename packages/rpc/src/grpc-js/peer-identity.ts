import type { ServerUnaryCall } from '@grpc/grpc-js';

/** grpc-js's view of the connection's security. It has a client certificate only if the certificate was verified. */
export type AuthContext = ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;

const maxIdBytes = 2048;
const maxTrustDomainBytes = 255;
const idPattern = /^spiffe:\/\/(?<trustDomain>[a-z0-9._-]+)(?<path>(\/[a-zA-Z0-9._-]+)+)$/;

/** Returns whether a text is the SPIFFE ID of a workload (SPIFFE-ID, section 2): trust domain, path without `.` and `..`. */
export function isSpiffeId(text: string): boolean {
  const { trustDomain, path } = idPattern.exec(text)?.groups ?? {};
  return (
    trustDomain !== undefined &&
    trustDomain.length <= maxTrustDomainBytes &&
    text.length <= maxIdBytes &&
    !path?.split('/').some((segment) => segment === '.' || segment === '..')
  );
}

/**
 * Returns the SPIFFE ID of a client's verified certificate, by the X.509-SVID standard: the only URI of a certificate
 * that is not a CA's. Undefined for any other certificate, or without one.
 */
export function peerIdentity({ sslPeerCertificate: certificate }: AuthContext): string | undefined {
  const names = certificate?.subjectaltname;
  if (!names || certificate.ca) return undefined;
  // Node quotes a name that contains a comma, so that one name cannot be read as two.
  const [id, another] = names.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice(4)] : []));
  return id !== undefined && another === undefined && isSpiffeId(id) ? id : undefined;
}
