import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bitString,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  trueValue,
  utf8String,
} from './der.ts';

/** A certificate and its key, both PEM. */
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
  /** As openssl writes them: `DNS:orders`, `IP:127.0.0.1`, `URI:spiffe://acme.example/orders`. */
  readonly alternativeNames: readonly string[];
}

/** Makes certificates for development and tests: what signs for production is a real authority. */
export interface CertificateAuthority extends KeyPair {
  /** A leaf for both ends of a connection (RFC 5280, and what the SPIFFE X.509-SVID standard asks of a leaf). */
  issue(leaf: LeafOptions): KeyPair;
}

interface Certificate extends Validity {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const nameTags: Readonly<Record<string, number>> = { DNS: 0x82, URI: 0x86, IP: 0x87 };

/** A new authority, with a key on P-256. */
export function makeAuthority(commonName: string, validity: Validity): CertificateAuthority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = signed({
    ...validity,
    subject: commonName,
    issuer: commonName,
    publicKey,
    issuerKey: privateKey,
    extensions: [
      extension('2.5.29.19', sequence(trueValue, integer(Buffer.from([0]))), true), // CA, and no CA below it
      extension('2.5.29.15', bitString(Buffer.from([0b0000_0110]), 1), true), // keyCertSign, cRLSign
    ],
  });
  return openAuthority({ certificate, privateKey: keyPem(privateKey) });
}

/** An authority that was made before. Throws when its files are none. */
export function openAuthority(authority: KeyPair): CertificateAuthority {
  const issuer = new X509Certificate(authority.certificate).toLegacyObject().subject.CN;
  const issuerKey = createPrivateKey(authority.privateKey);
  return {
    ...authority,
    issue: ({ commonName, alternativeNames, notBefore, notAfter }) => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = signed({
        subject: commonName,
        issuer: String(issuer),
        notBefore,
        notAfter,
        publicKey,
        issuerKey,
        extensions: [
          extension('2.5.29.19', sequence(), true), // not a CA
          extension('2.5.29.15', bitString(Buffer.from([0b1000_0000]), 7), true), // digitalSignature
          extension(
            '2.5.29.37', // for servers and for clients
            sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'), objectIdentifier('1.3.6.1.5.5.7.3.2')),
          ),
          extension('2.5.29.17', sequence(...alternativeNames.map(generalName))),
        ],
      });
      return { certificate, privateKey: keyPem(privateKey) };
    },
  };
}

function signed({ subject, issuer, notBefore, notAfter, publicKey, issuerKey, extensions }: Certificate) {
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(notBefore), time(notAfter)),
    name(subject),
    spki(publicKey),
    der(
      0xa3,
      sequence(
        ...extensions,
        extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
        extension('2.5.29.35', sequence(der(0x80, keyIdentifier(createPublicKey(issuerKey))))),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, issuerKey);
  return new X509Certificate(sequence(toBeSigned, ecdsaWithSha256, bitString(signature))).toString();
}

function name(commonName: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))));
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [trueValue] : []), octetString(value));
}

function generalName(text: string): Buffer {
  const [kind = ''] = text.split(':', 1);
  const value = text.slice(kind.length + 1);
  const tag = nameTags[kind];
  if (tag === undefined)
    throw new Error(`${text} is no alternative name: it wants DNS:, IP: or URI: in front`);
  return der(tag, kind === 'IP' ? ipOctets(value) : Buffer.from(value, 'latin1'));
}

function ipOctets(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = [], tail = []] = ip.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** RFC 7093, method 4: a hash of the whole public key. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function keyPem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
