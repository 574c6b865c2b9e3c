import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority, openAuthority } from './certificate-authority.ts';
import { hourAround } from './test-certificates.ts';

test('an issued certificate has the names, validity and key of its request, and verifies by its authority', async () => {
  const authority = await createAuthority('Test CA', hourAround());
  const validity = {
    notBefore: new Date('2020-01-02T03:04:05Z'),
    notAfter: new Date('2060-01-02T03:04:05Z'),
  };
  const leaf = await authority.issue({
    commonName: 'orders, ö',
    alternativeNames: ['DNS:orders', 'IP:127.0.0.1', 'IP:::1', 'URI:spiffe://acme.example/orders'],
    ...validity,
  });
  const [ca, certificate] = [
    new X509Certificate(authority.certificate),
    new X509Certificate(leaf.certificate),
  ];
  expect(ca.ca).toBe(true);
  expect(certificate).toMatchObject({
    ca: false,
    validFromDate: validity.notBefore,
    validToDate: validity.notAfter,
  });
  expect(certificate.toLegacyObject().subject.CN).toBe('orders, ö');
  expect(certificate.subjectAltName).toBe(
    'DNS:orders, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://acme.example/orders',
  );
  expect(certificate.checkPrivateKey(createPrivateKey(leaf.privateKey))).toBe(true);
  expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
});

test('an authority that is opened again issues for the same name and key', async () => {
  const { certificate, privateKey } = await createAuthority('Test CA, ö', hourAround());
  const reopened = openAuthority({ certificate, privateKey });
  const leaf = await reopened.issue({ commonName: 'orders', alternativeNames: [], ...hourAround() });
  const ca = new X509Certificate(certificate);
  const issued = new X509Certificate(leaf.certificate);
  expect(issued.checkIssued(ca) && issued.verify(ca.publicKey)).toBe(true);
});

test('an alternative name without a known prefix is rejected', async () => {
  const authority = await createAuthority('Test CA', hourAround());
  const leaf = { commonName: 'orders', alternativeNames: ['orders'], ...hourAround() };
  await expect(authority.issue(leaf)).rejects.toThrow('expected the prefix DNS:, IP: or URI:');
});
