import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsConfig } from '../../tls/tls-files.ts';
import {
  type CertificateAuthority,
  type KeyPair,
  makeAuthority,
  type Validity,
} from './certificate-authority.ts';

/** An authority of its own, and a folder for what it signs. Disposing it deletes the folder. */
export interface TestCertificates extends AsyncDisposable {
  readonly authority: CertificateAuthority;
  /** A pair for 127.0.0.1 that is good; what is given replaces what it would be. */
  issue(name: string, options?: IssueOptions): KeyPair;
  /** Writes a pair and whom to trust, and gives the config that names these files. */
  write(name: string, pair?: KeyPair, authorities?: string): Promise<MutualTls>;
}

export type MutualTls = TlsConfig & { readonly mode: 'mtls' };

interface IssueOptions extends Partial<Validity> {
  readonly alternativeNames?: readonly string[];
  readonly by?: CertificateAuthority;
}

/** From an hour ago until in an hour. */
export function hourAround(now = Date.now()): Validity {
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
}

/** The SPIFFE ID in the certificates of a name. */
export function testIdentity(name: string): string {
  return `spiffe://acme.example/${name}`;
}

export async function makeTestCertificates(authorityName = 'Test CA'): Promise<TestCertificates> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'certificates-'));
  const authority = makeAuthority(authorityName, hourAround());
  const issue: TestCertificates['issue'] = (name, { by = authority, ...options } = {}) =>
    by.issue({
      commonName: name,
      alternativeNames: ['DNS:localhost', 'IP:127.0.0.1', `URI:${testIdentity(name)}`],
      ...hourAround(),
      ...options,
    });
  return {
    authority,
    issue,
    write: async (name, pair = issue(name), authorities = authority.certificate) => {
      const files = {
        mode: 'mtls',
        certFile: join(folder.path, `${name}.crt`),
        keyFile: join(folder.path, `${name}.key`),
        caFile: join(folder.path, `${name}-ca.crt`),
      } as const;
      await writeFile(files.certFile, pair.certificate);
      await writeFile(files.keyFile, pair.privateKey);
      await writeFile(files.caFile, authorities);
      return files;
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}
