import { renameSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTestCertificates, hourAround } from '../testing/certificates/test-certificates.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { developmentAuthority, openTlsFiles } from './tls-files.ts';

const hourMs = 3_600_000;

/** Good files, opened, and what was logged about them. */
async function openGood() {
  const certificates = await createTestCertificates();
  const { log, lines } = collectLog();
  const tls = await certificates.write('caller');
  const files = await openTlsFiles(
    { pair: tls, caFile: tls.caFile },
    { log, developmentCertificates: false },
  );
  return { ...certificates, tls, files, lines };
}

test('ensure a new pair and new authorities replace the old ones', async () => {
  await using good = await openGood();
  await using other = await createTestCertificates();
  const before = good.files.current;
  await good.files.refresh();
  expect(good.files.current).toBe(before);
  const pair = await good.issue('caller');
  const authorities = good.authority.certificate + other.authority.certificate;
  await good.write('caller', pair, authorities);
  await good.files.refresh();
  expect(good.files.current.contextOptions).toMatchObject({
    cert: pair.certificate,
    key: pair.privateKey,
    ca: authorities,
  });
  const after = good.files.current;
  await good.files.refresh();
  expect(good.files.current).toBe(after);
  expect(good.lines).toMatchObject([{ msg: 'TLS files replaced', certFile: good.tls.certFile }]);
});

test('ensure files that are cut anywhere, missing, or of two pairs leave the last good ones in use', async () => {
  await using good = await openGood();
  const before = good.files.current;
  const { certFile, keyFile, caFile } = good.tls;
  const next = await good.issue('caller');
  const keep = async () => {
    await good.files.refresh();
    expect(good.files.current).toBe(before);
  };
  for (const [file, whole] of [
    [certFile, next.certificate],
    [keyFile, next.privateKey],
    [caFile, good.authority.certificate],
  ] as const) {
    const now = await readFile(file, 'utf8');
    // Without its last line break it is whole.
    for (let length = 0; length < whole.length - 1; length += length % 64 < 3 ? 1 : 13) {
      await writeFile(file, whole.slice(0, length));
      await keep();
    }
    await rm(file);
    await keep();
    await writeFile(file, now);
  }
  // The order in which the two halves of a pair are written is anybody's.
  await writeFile(certFile, next.certificate);
  await keep();
  await writeFile(keyFile, next.privateKey);
  await good.files.refresh();
  expect(good.files.current.contextOptions).toMatchObject({ cert: next.certificate, key: next.privateKey });
});

test('ensure a pair that is not valid yet is taken once it is, and one that has expired never', async () => {
  await using good = await openGood();
  const before = good.files.current;
  await good.write('caller', await good.issue('caller', { notBefore: new Date(Date.now() + hourMs) }));
  await good.files.refresh();
  await good.write('caller', await good.issue('caller', { notAfter: new Date(Date.now() - hourMs / 2) }));
  await good.files.refresh();
  expect(good.files.current).toBe(before);
  expect(good.lines.map((line) => line.problem)).toEqual([
    expect.stringContaining('is not valid before'),
    expect.stringContaining('expired on'),
  ]);
});

test('ensure a list of authorities that is still being written does not count', async () => {
  await using good = await openGood();
  await using other = await createTestCertificates();
  const before = good.files.current;
  const { caFile } = good.tls;
  let writing = true;
  const writer = (async () => {
    // Cut between two certificates a list looks whole: all that can be seen is that it does not stand still.
    for (let version = 0; writing; version++) {
      writeFileSync(`${caFile}.new`, `${other.authority.certificate}# ${version}\n`);
      renameSync(`${caFile}.new`, caFile);
      await nextTurn();
    }
  })();
  await good.files.refresh();
  writing = false;
  await writer;
  expect(good.files.current).toBe(before);
  const both = good.authority.certificate + other.authority.certificate;
  await writeFile(caFile, both);
  await good.files.refresh();
  expect(good.files.current.contextOptions.ca).toBe(both);
});

test('ensure a problem is logged once, and again when it comes back', async () => {
  await using good = await openGood();
  const { caFile } = good.tls;
  await writeFile(caFile, '');
  for (let time = 0; time < 3; time++) await good.files.refresh();
  expect(good.lines).toMatchObject([
    {
      level: 'warn',
      msg: 'TLS files cannot be used: the last good ones stay in use',
      problem: `${caFile} contains no PEM certificate`,
    },
  ]);
  await writeFile(caFile, good.authority.certificate);
  await good.files.refresh();
  await writeFile(caFile, '');
  await good.files.refresh();
  expect(good.lines.length).toBe(2);
});

test('ensure no key is logged or told', async () => {
  await using good = await openGood();
  const { privateKey } = await good.issue('caller');
  await writeFile(good.tls.keyFile, privateKey.slice(0, -20));
  await good.files.refresh();
  const told = String(
    await openTlsFiles({ pair: good.tls }, { ...collectLog(), developmentCertificates: false }).catch(String),
  );
  const secret = privateKey.split('\n')[1] ?? '';
  expect(secret.length).toBe(64);
  expect(JSON.stringify(good.lines) + told).not.toContain(secret);
  expect(good.lines.length).toBe(1);
});

test('ensure certificates for development are refused also when they come later', async () => {
  await using good = await openGood();
  const before = good.files.current;
  await using development = await createTestCertificates(developmentAuthority);
  await good.write('caller', await development.issue('caller', hourAround()));
  await good.files.refresh();
  expect(good.files.current).toBe(before);
});
