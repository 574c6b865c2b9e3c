import { stringify } from 'yaml';

/**
 * Returns the kustomization of the folder that `svc secrets` writes: a Secret for each pod that mounts its files.
 * `withDatabase` lists the services whose password PostgreSQL reads.
 */
export function secretsKustomization(services: readonly string[], withDatabase: readonly string[]): string {
  const [first] = services;
  return stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    generatorOptions: { disableNameSuffixHash: true },
    configMapGenerator: first === undefined ? [] : [{ name: 'jwks', files: [`${first}/jwks.json`] }],
    secretGenerator: [
      { name: 'postgres', files: withDatabase.map((service) => `postgres/${service}`) },
      ...services.flatMap((service) => [
        { name: `${service}-database`, files: [`${service}/environment`] },
        {
          name: `${service}-tls`,
          files: [`${service}/tls.crt`, `${service}/tls.key`, `${service}/ca.crt`],
        },
      ]),
      {
        name: 'operator',
        files: [
          'operator/running.json',
          'operator/keys/private.jwk.json',
          'operator/keys/jwks.json',
          'operator/certs/ca.crt',
          'operator/certs/client.crt',
          'operator/certs/client.key',
        ],
      },
    ],
  });
}
