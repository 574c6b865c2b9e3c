import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The example services, and everything that is only about them. */
const examples = [
  'services/orders',
  'services/inventory',
  'proto',
  'gen/src',
  'lab',
  'test',
  'docker-compose.yml',
  'deploy/compose',
  'deploy/kubernetes',
  'deploy/postgres',
  'deploy/observability/grafana/dashboards/orders.json',
  ...['orders', 'inventory'].flatMap((name) =>
    ['rules', 'tests', 'scrape/local', 'scrape/containers'].map(
      (folder) => `deploy/observability/prometheus/${folder}/${name}.yml`,
    ),
  ),
  'packages/dev/template/deploy/compose',
  'packages/dev/template/deploy/kubernetes',
  'packages/dev/src/check/compose',
  'packages/dev/src/check/deployment',
  'packages/dev/src/check/kubernetes',
  '.ci/install-compose',
  '.ci/install-kustomize',
  'docs/add-a-step.md',
  'docs/conformance.md',
  'docs/containers.md',
  'docs/examples',
  'docs/kubernetes.md',
  'docs/reliability.md',
  '.github/workflows/observability.yml',
  '.github/workflows/images.yml',
];

/** Removes orders and inventory, with their tests, measurements, deployments and documents. */
export function removeExamples(root: string): void {
  for (const path of examples) rmSync(join(root, path), { recursive: true, force: true });
  editFile(root, 'services.ts', withoutEntries);
  editFile(root, 'packages/dev/src/check/check.ts', (text) =>
    text.replaceAll(/^.*check(Compose|Kubernetes).*\n/gm, ''),
  );
  editManifests(root);
  // buf rejects a module without files. The first service adds it again.
  editFile(root, 'buf.yaml', (text) => text.replace('  - path: proto\n', ''));
  cutReadme(root);
  unlinkDocuments(root);
}

/** Removes `adopt`, its guide and its test, because it is used once, and empties the changelog. */
export function removeAdopt(root: string): void {
  editFile(
    root,
    'CHANGELOG.md',
    (text) => `${text.slice(0, text.indexOf('## [Unreleased]'))}## [Unreleased]\n`,
  );
  for (const path of ['packages/dev/src/adopt', 'docs/adopt.md', 'lab/src/copies/test-adopt.ts'])
    rmSync(join(root, path), { recursive: true, force: true });
  const withoutAdopt = (text: string) => text.replaceAll(/^.*(npm run |")(test:)?adopt\b.*\n/gm, '');
  editFile(root, 'README.md', (text) => text.replace(/^## Copy it\n[\s\S]*?(?=^## )/m, ''));
  for (const file of ['package.json', 'docs/commands.md', '.github/workflows/ci.yml'])
    editFile(root, file, withoutAdopt);
  editFile(root, 'CONTRIBUTING.md', (text) => text.replace(', `npm run test:adopt`', ''));
  editFile(root, 'packages/dev/src/svc.ts', (text) => text.replace(/^ *adopt: .*\n/m, ''));
  editFile(root, '.ci/run', (text) => text.replace(' test:adopt', ''));
}

function withoutEntries(text: string): string {
  return text
    .replace(/^import .*(orders|inventory).*\n/gm, '')
    .replace(/(export const services[^=]* = \[)[\s\S]*^\];/m, '$1];');
}

/** Replaces links to removed files, and quoted commands of removed scripts, by their text, and removes such scripts from CI. */
function unlinkDocuments(root: string): void {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isGone = (name: string) => !(name in scripts);
  editFile(root, '.github/workflows/ci.yml', (text) =>
    text
      .replaceAll(/^ *- run: npm run ([\w:-]+).*\n/gm, (line, name) => (isGone(name) ? '' : line))
      .replaceAll(/^ *- run: \.ci\/install-(?:compose|kustomize).*\n/gm, ''),
  );
  editFile(root, '.github/workflows/release.yml', (text) =>
    text.replace(/^ *- run: npm run test:packages\n/m, ''),
  );
  for (const file of globSync('{*.md,docs/**/*.md,packages/*/*.md}', { cwd: root }))
    editFile(root, file, (text) =>
      text
        .replaceAll(/\[([^\]]*)\]\(([^)#:]+)[^):]*\)/g, (link, label, target) =>
          existsSync(join(root, dirname(file), target)) ? link : label,
        )
        .replaceAll(/`(npm run ([\w:-]+)[^`\n]*)`/g, (quoted, command, name) =>
          isGone(name) ? command : quoted,
        ),
    );
}

const runIt = `## Run it

\`\`\`sh
npm ci && npm start
\`\`\`

`;

function cutReadme(root: string): void {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  editFile(root, 'README.md', (text) =>
    text
      // An excerpt of a contract that was removed.
      .replaceAll(/:\n\n```proto\n[\s\S]*?```\n/g, '.\n')
      .split(/^(?=## )/m)
      .map((section) => (section.startsWith('## Run it\n') ? runIt : section))
      .join(''),
  );
  // Rows of removed scripts.
  editFile(root, 'docs/commands.md', (text) =>
    text.replaceAll(/^\| `npm run ([\w:-]+).*\n/gm, (row, name) => (name in scripts ? row : '')),
  );
}

function editManifests(root: string): void {
  editFile(root, 'package.json', (text) => {
    const manifest = JSON.parse(text);
    manifest.workspaces = manifest.workspaces.filter((each: string) => !['test', 'lab'].includes(each));
    for (const name of ['@acme/orders', '@acme/inventory']) delete manifest.devDependencies[name];
    for (const [name, command] of Object.entries<string>(manifest.scripts)) {
      const file = /^node (\S+\.ts)/.exec(command)?.[1];
      if (file && !existsSync(join(root, file))) delete manifest.scripts[name];
    }
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });
  const withoutLab = (text: string) =>
    text.replaceAll(/^.*(lab\/(proto|src\/conformance)|conformance suites).*\n/gm, '');
  for (const file of ['buf.yaml', 'packages/dev/src/generate/contracts.ts', '.gitattributes', 'biome.json'])
    editFile(root, file, withoutLab);
  editFile(root, 'packages/dev/package.json', (text) => withUsedDependencies(root, 'packages/dev', text));
  editFile(root, '.ci/run', (text) =>
    text
      .replaceAll(/ (test:(template|adopt|guide|packages|conformance)|'(faults|hostile)[^']*')/g, '')
      .replaceAll(/^#.*\n.*install-(?:compose|kustomize).*\n/gm, ''),
  );
  editFile(root, '.github/workflows/ci.yml', (text) =>
    text.replaceAll(/\n {2}(faults|hostile|packages|conformance):\n(?: {4}.*\n|\n(?= {4}))*/g, ''),
  );
  editFile(root, 'biome.json', (text) =>
    text.replaceAll(/^ *"services\/(orders|inventory)\/.*\n/gm, '').replace(/("includes": \[)\s*\]/, '$1]'),
  );
  editFile(root, 'knip.jsonc', (text) =>
    text
      // Exports of the packages have no users until there are services.
      .replace(/^ *\/\/ The packages' `exports`.*\n *"includeEntryExports": true,\n/m, '')
      // Until there is a service, no script starts node, and services.ts imports no contract.
      .replace('["@bufbuild/protoc-gen-es"]', '["@bufbuild/protoc-gen-es", "node"]')
      .replace('  "workspaces": {\n', '  "ignoreWorkspaces": ["gen"],\n  "workspaces": {\n')
      .replace('"ignore": ["src/testing/gen/**"], ', '')
      .replace(/,\s*"lab": \{[\s\S]*?\n {4}\}/, ''),
  );
}

/** Removes the dependencies that nothing in the package imports any more from its manifest. */
function withUsedDependencies(root: string, folder: string, text: string): string {
  const files = globSync(`${folder}/src/**/*.ts`, { cwd: root });
  const sources = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const isUsed = (name: string) => sources.includes(`'${name.replace('@types/', '')}`);
  const manifest = JSON.parse(text);
  for (const kind of ['dependencies', 'devDependencies'])
    manifest[kind] = Object.fromEntries(
      Object.entries(manifest[kind] ?? {}).filter(([name]) => isUsed(name)),
    );
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Replaces the text of a file of the repository by the result of `change`. */
function editFile(root: string, file: string, change: (text: string) => string): void {
  const path = join(root, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
