import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertificateAuthority,
  createAuthority,
  openAuthority,
} from '@acme/rpc/testing/certificates/certificate-authority';
import { developmentAuthority } from '@acme/rpc/tls/tls-files';
import { writeWhole } from './development-keys.ts';

export interface DevelopmentCertificatesOptions {
  readonly folder: string;
  /** Of services and clients: host names, which become part of the SPIFFE ID. */
  readonly names: readonly string[];
  readonly now: Date;
}

/** Whose SPIFFE IDs the development certificates hold: `spiffe://saturday.invalid/orders`. */
export const developmentTrustDomain = 'saturday.invalid';

const dayMs = 24 * 60 * 60 * 1000;
const authorityDays = 365;
const leafDays = 30;

/** Clocks of containers and their host differ. */
const clockSkewMs = 5 * 60 * 1000;

/** A host name of one label or more (RFC 1123), in lower case as SPIFFE wants it. */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*$/;

/**
 * Makes a certificate for each name, signed by the folder's development authority: `ca.crt`, `orders.crt`,
 * `orders.key`. The authority is kept while it outlives what it signs; the certificates are always new, so that
 * running services take them over. Production refuses all of them.
 *
 * @returns A line for each file with a certificate, with what is in it.
 */
export async function makeDevelopmentCertificates(
  options: DevelopmentCertificatesOptions,
): Promise<string[]> {
  const { folder, names, now } = options;
  const wrong = names.find((name) => !namePattern.test(name) || name === 'ca');
  if (wrong !== undefined)
    throw new Error(`${wrong} is no name for a service: it wants a host name, as orders`);
  await mkdir(folder, { recursive: true });
  for (const name of ['ca', ...names]) await requireOurs(join(folder, `${name}.crt`));
  const notBefore = new Date(now.getTime() - clockSkewMs);
  const notAfter = new Date(now.getTime() + leafDays * dayMs);
  const authority = (await readAuthority(folder, notAfter)) ?? (await writeAuthority(folder, notBefore));
  const made = [described(join(folder, 'ca.crt'), authority.certificate)];
  for (const name of names) {
    const alternativeNames = [
      ...new Set([`DNS:${name}`, 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1']),
      `URI:spiffe://${developmentTrustDomain}/${name}`,
    ];
    const leaf = await authority.issue({ commonName: name, alternativeNames, notBefore, notAfter });
    await writeWhole(join(folder, `${name}.key`), leaf.privateKey, 0o600);
    await writeWhole(join(folder, `${name}.crt`), leaf.certificate, 0o644);
    made.push(described(join(folder, `${name}.crt`), leaf.certificate));
  }
  return made;
}

/** Throws when there is a certificate that this did not make: what it belongs to would be lost with its key. */
async function requireOurs(file: string): Promise<void> {
  const text = await readIfThere(file);
  if (text === undefined) return;
  const issuer = parsed(text)?.toLegacyObject().issuer.CN;
  if (issuer !== developmentAuthority)
    throw new Error(`${file} is not of the ${developmentAuthority}: remove it, or choose another --out`);
}

/** The folder's authority; undefined when there is none that is whole, or it ends before what it would sign. */
async function readAuthority(folder: string, neededUntil: Date): Promise<CertificateAuthority | undefined> {
  const certificate = await readIfThere(join(folder, 'ca.crt'));
  const privateKey = await readIfThere(join(folder, 'ca.key'));
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

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function writeAuthority(folder: string, notBefore: Date): Promise<CertificateAuthority> {
  const notAfter = new Date(notBefore.getTime() + authorityDays * dayMs);
  const authority = await createAuthority(developmentAuthority, { notBefore, notAfter });
  await writeWhole(join(folder, 'ca.key'), authority.privateKey, 0o600);
  await writeWhole(join(folder, 'ca.crt'), authority.certificate, 0o644);
  return authority;
}

function described(file: string, certificate: string): string {
  const { subjectAltName, subject, validToDate } = new X509Certificate(certificate);
  return `${file}  ${subjectAltName ?? subject}  until ${validToDate.toISOString().slice(0, 10)}`;
}
