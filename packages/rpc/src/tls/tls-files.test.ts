import { renameSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTestCertificates, hourAround } from '../testing/certificates/test-certificates.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { developmentAuthority, openTlsFiles } from './tls-files.ts';

const hourMs = 3_600_000;

/** Opens good files, and collects the log. */
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

test('a new pair and new authorities replace the old ones', async () => {
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

test('the last good files stay in use if new ones are cut off, missing, or from two pairs', async () => {
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
    // A file without its last line break is complete.
    for (let length = 0; length < whole.length - 1; length += length % 64 < 3 ? 1 : 13) {
      await writeFile(file, whole.slice(0, length));
      await keep();
    }
    await rm(file);
    await keep();
    await writeFile(file, now);
  }
  // The two files of a pair can be written in any order.
  await writeFile(certFile, next.certificate);
  await keep();
  await writeFile(keyFile, next.privateKey);
  await good.files.refresh();
  expect(good.files.current.contextOptions).toMatchObject({ cert: next.certificate, key: next.privateKey });
});

test('a pair is used once it is valid, and never after it has expired', async () => {
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

test('a list of authorities that is still being written is not used', async () => {
  await using good = await openGood();
  await using other = await createTestCertificates();
  const before = good.files.current;
  const { caFile } = good.tls;
  let writing = true;
  const writer = (async () => {
    // A list that is cut between two certificates looks complete. Only its later change shows that it was not.
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

test('a problem is logged once, and again when it recurs', async () => {
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

test('no key appears in the log or in an error', async () => {
  await using good = await openGood();
  const { privateKey } = await good.issue('caller');
  await writeFile(good.tls.keyFile, privateKey.slice(0, -20));
  await good.files.refresh();
  const message = String(
    await openTlsFiles({ pair: good.tls }, { ...collectLog(), developmentCertificates: false }).catch(String),
  );
  const secret = privateKey.split('\n')[1] ?? '';
  expect(secret.length).toBe(64);
  expect(JSON.stringify(good.lines) + message).not.toContain(secret);
  expect(good.lines.length).toBe(1);
});

test('development certificates are rejected when files are replaced, too', async () => {
  await using good = await openGood();
  const before = good.files.current;
  await using development = await createTestCertificates(developmentAuthority);
  await good.write('caller', await development.issue('caller', hourAround()));
  await good.files.refresh();
  expect(good.files.current).toBe(before);
});
