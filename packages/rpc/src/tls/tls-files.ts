import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';

/** Where a service's certificates are: PEM files, which may be replaced while it runs. */
export type TlsConfig = TlsPair &
  (
    | {
        /** The server shows a certificate. */
        readonly mode: 'tls';
        /** Whose servers to trust; Node's own list of authorities when undefined. */
        readonly caFile: string | undefined;
      }
    | {
        /** Both ends show one, and each verifies the other's. */
        readonly mode: 'mtls';
        readonly caFile: string;
      }
  );

interface TlsPair {
  /** The certificate, then its intermediates. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsOptions {
  /** Whether certificates of `npm run certs` are good; never in production. */
  readonly developmentCertificates: boolean;
  readonly log: Logger;
}

/** What to read: a server without mTLS needs no authorities, a client without it no pair. */
export interface TlsPaths {
  readonly pair?: TlsPair | undefined;
  readonly caFile?: string | undefined;
}

/** The last files that were good. */
export interface TlsFiles {
  readonly current: LoadedFiles;
  /** Reads them again, and keeps the last good ones when they are not good now. Never rejects. */
  refresh(): Promise<void>;
}

export interface LoadedFiles {
  readonly contextOptions: SecureContextOptions;
  readonly context: SecureContext;
}

/** The name of the authority that `npm run certs` makes, which production refuses. */
export const developmentAuthority = 'Saturday development CA';

/** RFC 8446. Every gRPC library of today speaks it, and a choice of ciphers is no longer anybody's to get wrong. */
const minVersion = 'TLSv1.3';

/** A file that is written in place may be read when half of it is there: it counts once it stays the same this long. */
const settleMs = 50;

/**
 * Reads certificates and a key, and checks that they belong together.
 *
 * @throws Error in one line that names the file and what is wrong with it.
 */
export async function openTlsFiles(paths: TlsPaths, options: TlsOptions): Promise<TlsFiles> {
  let text = await readAll(paths);
  let current = load(paths, text, options);
  let lastComplaint = '';
  const reload = async () => {
    const fresh = await readAll(paths);
    if (isSame(fresh, text)) return;
    const loaded = load(paths, fresh, options);
    await sleep(settleMs, undefined, { ref: false });
    if (!isSame(fresh, await readAll(paths))) return;
    text = fresh;
    current = loaded;
    options.log.info({ ...paths.pair, ca_file: paths.caFile }, 'TLS files replaced');
  };
  const reloadOrKeep = async () => {
    const complaint = await reload().then(
      () => '',
      (error: Error) => error.message,
    );
    // Once a problem, not once a reading.
    if (complaint && complaint !== lastComplaint)
      options.log.warn({ problem: complaint }, 'TLS files cannot be used: the last good ones stay');
    lastComplaint = complaint;
  };
  let reading: Promise<void> | undefined;
  return {
    get current() {
      return current;
    },
    refresh: () => {
      reading ??= reloadOrKeep().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

interface Texts {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
}

async function readAll({ pair, caFile }: TlsPaths): Promise<Texts> {
  const [cert, key, ca] = await Promise.all([pair?.certFile, pair?.keyFile, caFile].map(readText));
  return { cert, key, ca };
}

async function readText(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new Error(`${file} cannot be read: ${cause.message}`, { cause });
  });
}

function isSame(a: Texts, b: Texts): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}

/** Throws unless a connection could be made with these. */
function load({ pair, caFile }: TlsPaths, { cert, key, ca }: Texts, options: TlsOptions): LoadedFiles {
  const chain = pair ? certificatesIn(pair.certFile, cert) : [];
  const authorities = caFile ? certificatesIn(caFile, ca) : [];
  if (pair && chain[0]) requirePair(pair, chain[0], key);
  if (!options.developmentCertificates)
    for (const [file, certificates] of [
      [pair?.certFile, chain],
      [caFile, authorities],
    ] as const)
      if (certificates.some(isForDevelopment))
        throw new Error(`${file} is of the ${developmentAuthority}, which production does not accept`);
  const contextOptions = {
    minVersion,
    ...(cert && { cert }),
    ...(key && { key }),
    ...(ca && { ca }),
  } as const;
  try {
    return { contextOptions, context: createSecureContext(contextOptions) };
  } catch (cause) {
    const files = [pair?.certFile, pair?.keyFile, caFile].filter(Boolean).join(', ');
    throw new Error(`${files} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

function certificatesIn(file: string, text = ''): X509Certificate[] {
  const whole = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  // OpenSSL would take the certificates up to there for all of them.
  if (whole.length !== text.split('-----BEGIN').length - 1)
    throw new Error(`${file} is cut off, or holds something other than certificates`);
  if (whole.length === 0) throw new Error(`${file} holds no certificate in PEM`);
  try {
    return whole.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new Error(`${file} holds a certificate that cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function requirePair({ certFile, keyFile }: TlsPair, leaf: X509Certificate, keyText = ''): void {
  let key: KeyObject;
  try {
    key = createPrivateKey(keyText);
  } catch (cause) {
    throw new Error(`${keyFile} holds no private key in PEM: ${(cause as Error).message}`, { cause });
  }
  if (!leaf.checkPrivateKey(key))
    throw new Error(`${keyFile} is not the key of the certificate in ${certFile}`);
  const now = new Date();
  if (now < leaf.validFromDate) throw new Error(`${certFile} is not valid before ${leaf.validFrom}`);
  if (now > leaf.validToDate) throw new Error(`${certFile} has expired on ${leaf.validTo}`);
}

function isForDevelopment({ subject, issuer }: X509Certificate): boolean {
  return [subject, issuer].some((name) => name.split('\n').includes(`CN=${developmentAuthority}`));
}
