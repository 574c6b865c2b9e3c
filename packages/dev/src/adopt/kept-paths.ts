import { projectFiles } from '../generate/project-file-names.ts';
import type { CopyOptions } from './copy-options.ts';

/** The example services. */
export const examples = ['orders', 'inventory'];

/** Files and folders of every copy. */
const always = [
  '.ci/install-kustomize',
  '.dockerignore',
  '.editorconfig',
  '.gitattributes',
  '.github/pull_request_template.md',
  '.github/workflows/ci.yml',
  '.github/workflows/images.yml',
  '.gitignore',
  '.npmrc',
  '.nvmrc',
  '.squawk.toml',
  '.vscode',
  'Dockerfile',
  'LICENSE',
  'biome.json',
  'buf.gen.yaml',
  'buf.yaml',
  'deploy',
  'docker-compose.yml',
  'docs/evolve-a-schema.md',
  'docs/keys.md',
  'docs/new-service.md',
  'docs/observability.md',
  'docs/telemetry.md',
  'docs/updates.md',
  'gen/package.json',
  'package-lock.json',
  'package.json',
  'renovate.json',
  'tsconfig.json',
];

const ofExamples = ['docs/backup.md', 'docs/data.md', 'gen/src', 'proto', 'services', 'services.ts', 'test'];

const ofLab = [
  '.changeset',
  '.ci/build-go-tool',
  '.ci/install-chromium',
  '.ci/install-compose',
  '.ci/install-iproute2',
  '.ci/install-pgbouncer',
  '.ci/install-promtool',
  '.ci/publish-packages',
  '.github/workflows/contract.yml',
  '.github/workflows/observability.yml',
  '.github/workflows/pooler.yml',
  '.github/workflows/release.yml',
  'AGENTS.md',
  'ARCHITECTURE.md',
  'docs',
  'gen/CHANGELOG.md',
  'gen/README.md',
  'lab',
];

/** Parts that only the template's repository has. */
const ofTemplate = [
  'docs/adopt.md',
  'lab/src/copies/adopted-copy.ts',
  'lab/src/copies/owned-lines.ts',
  'lab/src/copies/test-adopt.ts',
  'packages/dev/copy',
  'packages/dev/src/adopt',
];

/** The parts of a service in the deployments. */
function deploymentsOf(name: string): string[] {
  const prometheus = 'deploy/observability/prometheus';
  return [
    `deploy/compose/services/${name}.yaml`,
    `deploy/kubernetes/base/${name}`,
    `deploy/kubernetes/components/cert-manager/${name}.yaml`,
    `deploy/observability/grafana/dashboards/${name}.json`,
    `${prometheus}/rules/${name}.yml`,
    `${prometheus}/scrape/containers/${name}.yml`,
    `${prometheus}/scrape/local/${name}.yml`,
    `${prometheus}/tests/${name}.yml`,
  ];
}

/** PostgreSQL in the cluster. A copy without the examples stays small, and begins with a database elsewhere. */
const ofClusterDatabase = [
  'deploy/kubernetes/components/cloudnative-pg',
  'deploy/kubernetes/overlays/cloudnative-pg',
];

/** Returns whether the copy keeps a file of this repository, which its own documents may still replace. */
export function isKept(path: string, { keepsExamples, isKitVendored, keepsLab }: CopyOptions): boolean {
  const kept = [
    ...always,
    ...(keepsExamples ? ofExamples : []),
    ...(isKitVendored ? ['packages'] : []),
    ...(keepsLab ? ofLab : []),
  ];
  const left = [
    ...ofTemplate,
    ...(keepsExamples ? [] : [...examples.flatMap(deploymentsOf), ...ofClusterDatabase]),
    // `generate` writes those of the installed kit.
    ...(isKitVendored ? [] : projectFiles),
    ...(keepsLab ? [] : ['deploy/compose/console.yaml', 'deploy/compose/lab.yaml', 'packages/dev/src/pack']),
  ];
  return isIn(path, kept) && !isIn(path, left);
}

function isIn(path: string, parts: readonly string[]): boolean {
  return parts.some((part) => path === part || path.startsWith(`${part}/`));
}
