import { X509Certificate } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { createTestCertificates } from '../testing/certificates/test-certificates.ts';
import { isSpiffeId, peerIdentity } from './peer-identity.ts';

const certificates = await createTestCertificates();
afterAll(() => certificates[Symbol.asyncDispose]());

const id = 'spiffe://acme.example/caller';

test.each<[string, string[], string | undefined]>([
  ['one SPIFFE ID', [`URI:${id}`], id],
  ['a SPIFFE ID among names and addresses', ['DNS:caller', `URI:${id}`, 'IP:127.0.0.1', 'IP:::1'], id],
  ['no name', [], undefined],
  ['no URI', ['DNS:caller'], undefined],
  ['two SPIFFE IDs', [`URI:${id}`, 'URI:spiffe://acme.example/echo'], undefined],
  ['one SPIFFE ID twice', [`URI:${id}`, `URI:${id}`], undefined],
  ['another URI next to it', [`URI:${id}`, 'URI:https://acme.example'], undefined],
  ['a URI that is not a SPIFFE ID', ['URI:https://acme.example/caller'], undefined],
  ['a SPIFFE ID in a DNS name', [`DNS:${id}`], undefined],
  ['a DNS name that ends like a URI', [`DNS:caller, URI:${id}`], undefined],
  ['a DNS name that contains a URI', [`DNS:caller, URI:${id}, DNS:caller`], undefined],
  ['a URI with a comma', [`URI:${id}, DNS:caller`], undefined],
])('a certificate with %s has its identity or none', async (_name, alternativeNames, expected) => {
  const { certificate } = await certificates.issue('caller', { alternativeNames });
  expect(peerIdentity(contextOf(certificate))).toBe(expected);
});

test('neither the certificate of an authority nor a missing one has an identity', async () => {
  const { certificate } = await certificates.issue('caller', { alternativeNames: [`URI:${id}`] });
  const { subjectaltname } = new X509Certificate(certificate).toLegacyObject();
  const authority = new X509Certificate(certificates.authority.certificate).toLegacyObject();
  expect(peerIdentity({ sslPeerCertificate: Object.assign(authority, { subjectaltname }) })).toBe(undefined);
  expect(peerIdentity({})).toBe(undefined);
});

test.each([
  [id, true],
  ['spiffe://a/b', true],
  ['spiffe://acme-1_x.example/ns/shop/sa/Caller.v1', true],
  [`spiffe://${'a'.repeat(255)}/b`, true],
  [`spiffe://a/${'b'.repeat(2048 - 11)}`, true],
  [`spiffe://${'a'.repeat(256)}/b`, false],
  [`spiffe://a/${'b'.repeat(2048 - 10)}`, false],
  ['spiffe://acme.example', false],
  ['spiffe://acme.example/', false],
  ['spiffe://acme.example/caller/', false],
  ['spiffe://acme.example//caller', false],
  ['spiffe://acme.example/./caller', false],
  ['spiffe://acme.example/a/../caller', false],
  ['spiffe:///caller', false],
  ['spiffe://Acme.example/caller', false],
  ['SPIFFE://acme.example/caller', false],
  ['spiffe://acme.example:443/caller', false],
  ['spiffe://user@acme.example/caller', false],
  ['spiffe://acme.example/caller?a=b', false],
  ['spiffe://acme.example/caller#a', false],
  ['spiffe://acme.example/%6frders', false],
  ['spiffe://acme.example/órders', false],
  ['spiffe://acme.example/caller\n', false],
  ['https://acme.example/caller', false],
  ['', false],
])('%j is valid or not by the SPIFFE standard', (text, expected) => {
  expect(isSpiffeId(text)).toBe(expected);
});

/** Returns grpc-js's auth context of a peer with this certificate. */
function contextOf(certificate: string): Parameters<typeof peerIdentity>[0] {
  return { sslPeerCertificate: new X509Certificate(certificate).toLegacyObject() };
}
