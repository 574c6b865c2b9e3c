import { describe, type Manifest, ofKind } from './manifest.ts';

/** A Certificate of cert-manager, as much of it as is judged. */
interface CertificateSpec {
  readonly issuerRef: { readonly kind?: string; readonly name: string };
}

/** Certificates come from an Issuer of their own namespace: a ClusterIssuer signs what any namespace asks for. */
export function certificateRuleBreaks(manifests: readonly Manifest[]): string[] {
  return ofKind<CertificateSpec>(manifests, 'Certificate').flatMap(({ manifest, spec: { issuerRef } }) => {
    const isThere = manifests.some(
      ({ value }) => value.kind === 'Issuer' && value.metadata.name === issuerRef.name,
    );
    if (issuerRef.kind !== 'Issuer')
      return [`${describe(manifest)} is signed by a ${issuerRef.kind}, which signs for every namespace`];
    return isThere ? [] : [`${describe(manifest)} is signed by ${issuerRef.name}, which is no Issuer here`];
  });
}
