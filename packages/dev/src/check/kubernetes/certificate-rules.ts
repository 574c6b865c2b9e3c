import { describe, type Manifest, ofKind } from './manifest.ts';

/** The fields of cert-manager's Certificate that the rule reads. */
interface CertificateSpec {
  readonly issuerRef: { readonly kind?: string; readonly name: string };
}

/** Requires an Issuer in the same namespace: a ClusterIssuer signs what any namespace requests. */
export function certificateProblems(manifests: readonly Manifest[]): string[] {
  return ofKind<CertificateSpec>(manifests, 'Certificate').flatMap((certificate) => {
    const { kind, name } = certificate.spec.issuerRef;
    if (kind !== 'Issuer')
      return [`${describe(certificate)} is signed by a ${kind}, which signs for every namespace`];
    const exists = ofKind(manifests, 'Issuer').some(({ metadata }) => metadata.name === name);
    return exists ? [] : [`${describe(certificate)} is signed by the Issuer ${name}, which does not exist`];
  });
}
