import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';

/** The PEM files of a service, which can be replaced while it runs. */
export type TlsConfig = TlsPair &
  (
    | {
        /** Only the server presents a certificate. */
        readonly mode: 'tls';
        /** Authorities of the servers that the client calls; Node's own list when undefined. */
        readonly caFile: string | undefined;
      }
    | {
        /** Both ends present a certificate and verify the other's. */
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
  /** Whether certificates of `npm run certs` are accepted; never in production. */
  readonly developmentCertificates: boolean;
  readonly log: Logger;
}

/** The files to read. A server without mTLS needs no authorities, and a client without mTLS needs no pair. */
export interface TlsPaths {
  readonly pair?: TlsPair | undefined;
  readonly caFile?: string | undefined;
}

/** The last good contents of the files. */
export interface TlsFiles {
  readonly current: LoadedFiles;
  /** Reads the files again, and keeps the last good ones if these cannot be used. Never rejects. */
  refresh(): Promise<void>;
}

export interface LoadedFiles {
  readonly contextOptions: SecureContextOptions;
  readonly context: SecureContext;
}

/** Common name of the authority of `npm run certs`, which production rejects. */
export const developmentAuthority = 'Saturday development CA';

/** RFC 8446. Every current gRPC library supports it, and it leaves no ciphers to configure. */
const minVersion = 'TLSv1.3';

/** A file that is written in place can be read half-way, so new contents count once they are unchanged for this long. */
const settleMs = 50;

/**
 * Opens certificates and a key, and checks that they belong together.
 *
 * @throws Error in one line that names the file and what is wrong with it.
 */
export async function openTlsFiles(paths: TlsPaths, options: TlsOptions): Promise<TlsFiles> {
  let text = await readAll(paths);
  let current = load(paths, text, options);
  let lastProblem = '';
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
    const problem = await reload().then(
      () => '',
      (error: Error) => error.message,
    );
    // Logged once for each problem, not for each reading.
    if (problem && problem !== lastProblem)
      options.log.warn({ problem }, 'TLS files cannot be used: the last good ones stay in use');
    lastProblem = problem;
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

/** Throws unless connections can be made with these files. */
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
        throw new Error(`${file} is from the ${developmentAuthority}, which production does not accept`);
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
  // OpenSSL would silently use only the certificates before that point.
  if (whole.length !== text.split('-----BEGIN').length - 1)
    throw new Error(`${file} is cut off, or contains something other than certificates`);
  if (whole.length === 0) throw new Error(`${file} contains no PEM certificate`);
  try {
    return whole.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new Error(`${file} contains a certificate that cannot be parsed: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function requirePair({ certFile, keyFile }: TlsPair, leaf: X509Certificate, keyText = ''): void {
  let key: KeyObject;
  try {
    key = createPrivateKey(keyText);
  } catch (cause) {
    throw new Error(`${keyFile} contains no PEM private key: ${(cause as Error).message}`, { cause });
  }
  if (!leaf.checkPrivateKey(key))
    throw new Error(`${keyFile} is not the key of the certificate in ${certFile}`);
  const now = new Date();
  if (now < leaf.validFromDate) throw new Error(`${certFile} is not valid before ${leaf.validFrom}`);
  if (now > leaf.validToDate) throw new Error(`${certFile} expired on ${leaf.validTo}`);
}

function isForDevelopment({ subject, issuer }: X509Certificate): boolean {
  return [subject, issuer].some((name) => name.split('\n').includes(`CN=${developmentAuthority}`));
}
