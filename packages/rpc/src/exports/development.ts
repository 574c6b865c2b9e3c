// Credentials for development, which production rejects.
export { developmentKeyPrefix } from '../auth/usable-keys.ts';
export {
  type CertificateAuthority,
  createAuthority,
  openAuthority,
} from '../testing/certificates/certificate-authority.ts';
export { developmentAuthority } from '../tls/tls-files.ts';
