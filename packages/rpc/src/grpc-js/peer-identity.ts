import type { ServerUnaryCall } from '@grpc/grpc-js';

/** What grpc-js says of the certificate at the other end; nothing unless it was verified. */
export type AuthContext = ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;

const maxIdBytes = 2048;
const maxTrustDomainBytes = 255;
const idPattern = /^spiffe:\/\/(?<trustDomain>[a-z0-9._-]+)(?<path>(\/[a-zA-Z0-9._-]+)+)$/;

/** Whether it names a workload (SPIFFE-ID standard, section 2): a trust domain, and a path without `.` and `..`. */
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
 * The SPIFFE ID of a client's verified certificate, by the X.509-SVID standard: its only URI, in a certificate that
 * is no authority's own. Undefined for any other certificate, and where none was asked for.
 */
export function peerIdentity({ sslPeerCertificate: certificate }: AuthContext): string | undefined {
  const names = certificate?.subjectaltname;
  if (!names || certificate.ca) return undefined;
  // Node escapes a comma within a name, and quotes that name: none can pass for two, or a quoted one for an ID.
  const [id, another] = names.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice(4)] : []));
  return id !== undefined && another === undefined && isSpiffeId(id) ? id : undefined;
}
