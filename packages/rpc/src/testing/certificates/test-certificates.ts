import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsConfig } from '../../tls/tls-files.ts';
import {
  type CertificateAuthority,
  createAuthority,
  type KeyPair,
  type Validity,
} from './certificate-authority.ts';

/** An authority and a folder for its certificates. Disposing deletes the folder. */
export interface TestCertificates extends AsyncDisposable {
  readonly authority: CertificateAuthority;
  /** Issues a pair that is valid for 127.0.0.1. `options` replace its defaults. */
  issue(name: string, options?: IssueOptions): Promise<KeyPair>;
  /** Writes a pair and the trusted authorities to files. Returns the config that names these files. */
  write(name: string, pair?: KeyPair, authorities?: string): Promise<MutualTls>;
}

export type MutualTls = TlsConfig & { readonly mode: 'mtls' };

interface IssueOptions extends Partial<Validity> {
  readonly alternativeNames?: readonly string[];
  readonly by?: CertificateAuthority;
}

/** Returns the validity from an hour ago until an hour from now. */
export function hourAround(now = Date.now()): Validity {
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
}

/** Returns the SPIFFE ID in the certificates of a name. */
export function testIdentity(name: string): string {
  return `spiffe://acme.example/${name}`;
}

export async function createTestCertificates(authorityName = 'Test CA'): Promise<TestCertificates> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'certificates-'));
  const authority = await createAuthority(authorityName, hourAround());
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
    write: async (name, given, authorities = authority.certificate) => {
      const pair = given ?? (await issue(name));
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
