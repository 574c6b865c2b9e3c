import { insertAfterLast, type NewService, type ServiceFileEdit } from './service-file-edit.ts';

const kubernetes = 'deploy/kubernetes';

/** Edits of the files of deployments that name every service. */
export const deploymentFileEdits: Readonly<Record<string, ServiceFileEdit>> = {
  Dockerfile: addSecretsFolder,
  'docker-compose.yml': addContainer,
  '.github/workflows/images.yml': (text, { plan: { service } }) =>
    insertAfterLast(text, /^ +service: \[[a-z, ]+/, `, ${service}`),
  'deploy/compose/databases.sql': addDatabase,
  [`${kubernetes}/overlays/development/postgres/databases.sql`]: addDatabase,
  [`${kubernetes}/base/kustomization.yaml`]: (text, { plan: { service } }) =>
    insertAfterLast(text, /^ {2}- [a-z]+$/, `\n  - ${service}`),
  [`${kubernetes}/components/cert-manager/kustomization.yaml`]: (text, { plan: { service } }) =>
    insertAfterLast(text, /^ {2}- [a-z]+\.yaml$/, `\n  - ${service}.yaml`),
  [`${kubernetes}/overlays/development/kustomization.yaml`]: (text, { plan: { service } }) =>
    insertAfterLast(text, /^images:$/, `\n  - {name: saturday-${service}, newTag: dev}`),
  [`${kubernetes}/overlays/production/kustomization.yaml`]: (text, { plan: { service } }) =>
    insertAfterLast(
      text,
      /^images:$/,
      `\n  - {name: saturday-${service}, newName: registry.example/saturday/${service}, newTag: 0.1.0}`,
    ),
  [`${kubernetes}/overlays/development/operator/networkpolicy.yaml`]: (text, { ports }) =>
    insertAfterLast(text, /^ +- \{port: \d+\}$/, `\n        - {port: ${ports.port}}`),
  [`${kubernetes}/overlays/development/secrets/made-secrets.yaml`]: addSecrets,
  'deploy/compose/prometheus.yaml': (text, { plan: { service }, ports }) =>
    `${text.trimEnd()}
  - job_name: ${service}
    dns_sd_configs:
      - {names: [${service}], type: A, port: ${ports.metricsPort}, refresh_interval: 5s}
`,
  'deploy/observability/prometheus/prometheus.yml': (text, { plan: { service }, ports }) =>
    `${text.trimEnd()}
  - job_name: ${service}
    static_configs: [{targets: ['127.0.0.1:${ports.metricsPort}']}]
`,
};

function addSecretsFolder(text: string, { plan: { service } }: NewService): string {
  return insertAfterLast(text, /^RUN install -d .* \/secrets\/[a-z]+/, ` /secrets/${service}`);
}

/** Adds a container like the others, with a certificate and a database of its own. */
function addContainer(text: string, { plan: { service }, ports }: NewService): string {
  const container = `  ${service}:
    <<: *service
    image: saturday-${service}
    build:
      context: .
      args: {SERVICE: ${service}}
    environment:
      <<: *service-environment
      LISTEN_ADDRESS: 0.0.0.0:${ports.port}
      AUTH_AUDIENCE: ${service}
      OTEL_EXPORTER_PROMETHEUS_PORT: ${ports.metricsPort}
    volumes: ['${service}-secrets:/secrets:ro']
    depends_on:
      postgres: {condition: service_healthy}
`;
  const mounted = insertAfterLast(
    text,
    /^ +- [a-z]+-secrets:\/secrets\/[a-z]+$/,
    `\n      - ${service}-secrets:/secrets/${service}`,
  );
  const kept = insertAfterLast(mounted, /^ {2}[a-z]+-secrets:$/, `\n  ${service}-secrets:`);
  return kept.replace(/\nvolumes:\n/, () => `\n${container}\nvolumes:\n`);
}

function addDatabase(text: string, { plan: { service } }: NewService): string {
  const password = insertAfterLast(text, /^\\set .*$/, `\n\\set ${service} \`cat /secrets/${service}\``);
  const role = insertAfterLast(
    password,
    /^CREATE ROLE .*$/,
    `\nCREATE ROLE ${service} LOGIN PASSWORD :'${service}';`,
  );
  const database = insertAfterLast(
    role,
    /^CREATE DATABASE [^;]*;$/,
    `\nCREATE DATABASE ${service} OWNER ${service}
  TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';`,
  );
  return database.replace('REVOKE ALL ON DATABASE ', `REVOKE ALL ON DATABASE ${service}, `);
}

function addSecrets(text: string, { plan: { service } }: NewService): string {
  const password = insertAfterLast(text, /^ +files: \[postgres\/[a-z/, ]+/, `, postgres/${service}`);
  return insertAfterLast(
    password,
    /^ +files: \[[a-z]+\/tls\.crt, .*$/,
    `
  - name: ${service}-database
    files: [${service}/environment]
  - name: ${service}-tls
    files: [${service}/tls.crt, ${service}/tls.key, ${service}/ca.crt]`,
  );
}
