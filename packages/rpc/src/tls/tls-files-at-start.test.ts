import { generateKeyPairSync } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createTestCertificates } from '../testing/certificates/test-certificates.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { developmentAuthority, openTlsFiles, type TlsPaths } from './tls-files.ts';

const hourMs = 3_600_000;

const open = (paths: TlsPaths, developmentCertificates = false) =>
  openTlsFiles(paths, { log: collectLog().log, developmentCertificates });

test('unusable files fail the start with one line that names the file', async () => {
  await using certificates = await createTestCertificates();
  const tls = await certificates.write('caller');
  const good = { pair: tls, caFile: tls.caFile };
  const { privateKey: otherKey } = await certificates.issue('other');
  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' },
  }).privateKey;
  const expired = await certificates.issue('caller', {
    notBefore: new Date(Date.now() - 2 * hourMs),
    notAfter: new Date(Date.now() - hourMs),
  });
  const early = await certificates.issue('caller', {
    notBefore: new Date(Date.now() + hourMs),
    notAfter: new Date(Date.now() + 2 * hourMs),
  });
  const garbage = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const { certFile, keyFile, caFile } = tls;
  const cases: [file: string, content: string, complaint: string][] = [
    [certFile, '', `${certFile} contains no PEM certificate`],
    [certFile, garbage, `${certFile} contains a certificate that cannot be parsed: `],
    [certFile, expired.certificate, `${keyFile} is not the key of the certificate in ${certFile}`],
    [keyFile, '', `${keyFile} contains no PEM private key: `],
    [keyFile, otherKey, `${keyFile} is not the key of the certificate in ${certFile}`],
    [keyFile, encrypted, `${keyFile} contains no PEM private key: `],
    [caFile, '', `${caFile} contains no PEM certificate`],
    [caFile, garbage, `${caFile} contains a certificate that cannot be parsed: `],
    [caFile, otherKey, `${caFile} is cut off, or contains something other than certificates`],
  ];
  for (const [file, content, complaint] of cases) {
    const before = await readFile(file, 'utf8');
    await writeFile(file, content);
    expect(await messageOf(open(good))).toEqual(expect.stringMatching(/^[^\n]+$/));
    expect((await messageOf(open(good))).startsWith(complaint)).toBe(true);
    await writeFile(file, before);
  }
  for (const [pair, complaint] of [
    [expired, `${certFile} expired on `],
    [early, `${certFile} is not valid before `],
  ] as const) {
    await certificates.write('caller', pair);
    expect((await messageOf(open(good))).startsWith(complaint)).toBe(true);
  }
  for (const file of [certFile, keyFile, caFile]) {
    await certificates.write('caller');
    await rm(file);
    expect(await messageOf(open(good))).toContain(`${file} cannot be read: ENOENT`);
  }
});

test('development certificates are rejected where they are not allowed, as a pair and as authorities', async () => {
  await using development = await createTestCertificates(developmentAuthority);
  const tls = await development.write('caller');
  await using real = await createTestCertificates();
  const mixed = await real.write(
    'caller',
    undefined,
    real.authority.certificate + development.authority.certificate,
  );
  for (const [paths, file] of [
    [{ pair: tls }, tls.certFile],
    [{ caFile: tls.caFile }, tls.caFile],
    [{ pair: mixed, caFile: mixed.caFile }, mixed.caFile],
  ] as const) {
    await open(paths, true);
    expect(await messageOf(open(paths))).toBe(
      `${file} is from the ${developmentAuthority}, which production does not accept`,
    );
  }
  await open({ pair: mixed });
});

function messageOf(opening: Promise<unknown>): Promise<string> {
  return opening.then(
    () => 'opened',
    (error: Error) => error.message,
  );
}
