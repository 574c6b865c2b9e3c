// @peculiar/x509 resolves its algorithms by tsyringe, which requires this polyfill.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type GeneralNameType,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface LeafOptions extends Validity {
  readonly commonName: string;
  /** Names in the notation of OpenSSL: `DNS:orders`, `IP:127.0.0.1`, `URI:spiffe://acme.example/orders`. */
  readonly alternativeNames: readonly string[];
}

/** An authority for development and tests. Production certificates come from a real authority. */
export interface CertificateAuthority extends KeyPair {
  /** Issues a certificate for clients and servers (RFC 5280, and the rules for leaves of the SPIFFE X.509-SVID standard). */
  issue(leaf: LeafOptions): Promise<KeyPair>;
}

interface Certificate extends Validity {
  readonly subject: Name;
  readonly issuer: Name;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Extension[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const nameTypes: Readonly<Record<string, GeneralNameType>> = { DNS: 'dns', URI: 'url', IP: 'ip' };

/** Creates an authority with a new key on P-256. */
export async function createAuthority(commonName: string, validity: Validity): Promise<CertificateAuthority> {
  const { privateKey, publicKey } = newKeyPair();
  const name = nameOf(commonName);
  const certificate = await sign({
    ...validity,
    subject: name,
    issuer: name,
    publicKey,
    issuerKey: privateKey,
    extensions: [
      new BasicConstraintsExtension(true, 0, true), // no CA below it
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return openAuthority({ certificate, privateKey: toPem(privateKey) });
}

/**
 * Returns the authority of an existing certificate and key.
 *
 * @throws Error when one of them cannot be parsed.
 */
export function openAuthority(authority: KeyPair): CertificateAuthority {
  const issuer = new X509Certificate(authority.certificate).subjectName;
  const issuerKey = createPrivateKey(authority.privateKey);
  return {
    ...authority,
    issue: async ({ commonName, alternativeNames, notBefore, notAfter }) => {
      const { privateKey, publicKey } = newKeyPair();
      const certificate = await sign({
        subject: nameOf(commonName),
        issuer,
        notBefore,
        notAfter,
        publicKey,
        issuerKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          new SubjectAlternativeNameExtension(alternativeNames.map(generalName)),
        ],
      });
      return { certificate, privateKey: toPem(privateKey) };
    },
  };
}

/** Returns the signed certificate, PEM, with a random serial number and the identifiers of both keys. */
async function sign(certificate: Certificate): Promise<string> {
  const { issuerKey, extensions, ...fields } = certificate;
  const publicKey = fields.publicKey.toCryptoKey(algorithm, true, ['verify']);
  const issuerPublicKey = createPublicKey(issuerKey).toCryptoKey(algorithm, true, ['verify']);
  const signed = await X509CertificateGenerator.create({
    ...fields,
    publicKey,
    signingKey: issuerKey.toCryptoKey(algorithm, false, ['sign']),
    extensions: [
      ...extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuerPublicKey),
    ],
  });
  return `${signed.toString('pem')}\n`;
}

function newKeyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function nameOf(commonName: string): Name {
  return new Name([{ CN: [{ utf8String: commonName }] }]);
}

function generalName(text: string): JsonGeneralName {
  const [prefix = ''] = text.split(':', 1);
  const type = nameTypes[prefix];
  if (type === undefined)
    throw new Error(`${text} is not an alternative name: expected the prefix DNS:, IP: or URI:`);
  return { type, value: text.slice(prefix.length + 1) };
}

function toPem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
