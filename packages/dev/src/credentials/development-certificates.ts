import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertificateAuthority,
  createAuthority,
  developmentAuthority,
  openAuthority,
} from '@acme/rpc/development';
import { writeAtomically } from '../cli/write-atomically.ts';
import { projectName } from '../repository/project.ts';

export interface DevelopmentCertificatesOptions {
  readonly folder: string;
  /** Host names of services and clients, which become part of their SPIFFE IDs. */
  readonly names: readonly string[];
  readonly now: Date;
}

/** Trust domain of the SPIFFE IDs in development certificates: `NAME.invalid` in `spiffe://NAME.invalid/orders`. */
export const developmentTrustDomain = `${projectName}.invalid`;

const dayMs = 24 * 60 * 60 * 1000;
const authorityDays = 365;
const leafDays = 30;

/** Certificates are valid from earlier than now, because the clocks of containers and their host differ. */
const clockSkewMs = 5 * 60 * 1000;

/** A host name (RFC 1123) in lower case, as SPIFFE requires. */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*$/;

/**
 * Makes a certificate for each name, signed by the folder's development authority: `ca.crt`, `orders.crt`, `orders.key`.
 * The authority is kept as long as it outlives the certificates that it signs. The certificates are new each time, and
 * running services reload them. Production rejects all of them.
 *
 * @returns A line for each certificate, with its file, its names and its expiry.
 */
export async function makeDevelopmentCertificates(
  options: DevelopmentCertificatesOptions,
): Promise<string[]> {
  const { folder, names, now } = options;
  const wrong = names.find((name) => !namePattern.test(name) || name === 'ca');
  if (wrong !== undefined)
    throw new Error(`${wrong} is not a valid service name: use a host name in lower case, such as orders`);
  await mkdir(folder, { recursive: true });
  for (const name of ['ca', ...names]) await requireDevelopmentCertificate(join(folder, `${name}.crt`));
  const notBefore = new Date(now.getTime() - clockSkewMs);
  const notAfter = new Date(now.getTime() + leafDays * dayMs);
  const authority = (await readAuthority(folder, notAfter)) ?? (await writeAuthority(folder, notBefore));
  const made = [describeCertificate(join(folder, 'ca.crt'), authority.certificate)];
  for (const name of names) {
    const alternativeNames = [
      ...new Set([`DNS:${name}`, 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1']),
      `URI:spiffe://${developmentTrustDomain}/${name}`,
    ];
    const leaf = await authority.issue({ commonName: name, alternativeNames, notBefore, notAfter });
    await writeAtomically(join(folder, `${name}.key`), leaf.privateKey, 0o600);
    await writeAtomically(join(folder, `${name}.crt`), leaf.certificate, 0o644);
    made.push(describeCertificate(join(folder, `${name}.crt`), leaf.certificate));
  }
  return made;
}

/** Throws if the file is a certificate of another authority: overwriting it would destroy that certificate's key. */
async function requireDevelopmentCertificate(file: string): Promise<void> {
  const text = await readIfExists(file);
  if (text === undefined) return;
  const issuer = parsed(text)?.toLegacyObject().issuer.CN;
  if (issuer !== developmentAuthority)
    throw new Error(
      `${file} is not a certificate of the ${developmentAuthority}: remove it, or choose another --out`,
    );
}

/** Returns the folder's authority; undefined if it is incomplete, or expires before the certificates it would sign. */
async function readAuthority(folder: string, neededUntil: Date): Promise<CertificateAuthority | undefined> {
  const certificate = await readIfExists(join(folder, 'ca.crt'));
  const privateKey = await readIfExists(join(folder, 'ca.key'));
  if (certificate === undefined || privateKey === undefined) return undefined;
  const x509 = new X509Certificate(certificate);
  if (x509.validToDate < neededUntil || !x509.checkPrivateKey(createPrivateKey(privateKey))) return undefined;
  return openAuthority({ certificate, privateKey });
}

function parsed(certificate: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

async function readIfExists(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function writeAuthority(folder: string, notBefore: Date): Promise<CertificateAuthority> {
  const notAfter = new Date(notBefore.getTime() + authorityDays * dayMs);
  const authority = await createAuthority(developmentAuthority, { notBefore, notAfter });
  await writeAtomically(join(folder, 'ca.key'), authority.privateKey, 0o600);
  await writeAtomically(join(folder, 'ca.crt'), authority.certificate, 0o644);
  return authority;
}

function describeCertificate(file: string, certificate: string): string {
  const { subjectAltName, subject, validToDate } = new X509Certificate(certificate);
  return `${file}  ${subjectAltName ?? subject}  until ${validToDate.toISOString().slice(0, 10)}`;
}
