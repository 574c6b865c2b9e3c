import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { edit } from './edit.ts';
import { reachableFrom } from './reachable.ts';

/** The example services, and what is only about them. */
const examples = [
  'services/orders',
  'services/inventory',
  'bench',
  'docker-compose.yml',
  'deploy/compose',
  'deploy/kubernetes',
  'template/deploy',
  'tools/src/compose',
  'docs/containers.md',
  'docs/kubernetes.md',
  'docs/reliability.md',
  '.github/workflows/observability.yml',
  '.github/workflows/images.yml',
];

/** What people run that is about any service. */
const tools = [
  'adopt',
  'call',
  'certs',
  'check',
  'generate',
  'new-service',
  'start',
  'test-template',
  'token',
];

/** The tests that are about the contract and the documents, whatever is in them. */
const tests = ['docs.test', 'gate.test', 'gate-breaking.test'];

/**
 * Removes orders and inventory, and the tools, tests and measurements that are about them. The packages' tests speak
 * their contracts: those become `testing.orders.v1` and `testing.inventory.v1`, which nothing else uses.
 */
export function removeExamples(root: string): void {
  for (const path of examples) rmSync(join(root, path), { recursive: true, force: true });
  edit(root, 'services.ts', withoutEntries);
  edit(root, 'packages/dev/src/check/check.ts', (text) =>
    text.replaceAll(/^.*kubernetesManifests.*\n/gm, ''),
  );
  keepReachable(root, 'tools', tools);
  keepReachable(root, 'test', tests);
  setContractsAside(root);
  editSettings(root);
  cutReadme(root);
  unlinkDocuments(root);
}

function withoutEntries(text: string): string {
  return text
    .replace(/^import .*(orders|inventory|catalogue).*\n/gm, '')
    .replace(/^import \{ type (ServicesAccess), targetOf \}/m, 'import type { $1 }')
    .replace(/(export const services[^=]* = \[)[\s\S]*^\];/m, '$1];');
}

/** Removes what these files of a package do not import, and tests that stand beside nothing any more. */
function keepReachable(root: string, folder: string, names: readonly string[]): void {
  const kept = reachableFrom(
    root,
    names.map((name) => `${folder}/src/${name}.ts`),
  );
  for (const file of globSync(`${folder}/src/**/*.ts`, { cwd: root }))
    if (!kept.has(file) && !kept.has(file.replace('.test.ts', '.ts'))) rmSync(join(root, file));
}

function setContractsAside(root: string): void {
  for (const folder of ['proto', 'gen/src']) {
    mkdirSync(join(root, folder, 'testing'));
    for (const name of ['orders', 'inventory'])
      renameSync(join(root, folder, name), join(root, folder, 'testing', name));
  }
  for (const file of globSync(
    ['proto/testing/**/*.proto', '{packages,test}/**/*.{ts,md}', 'tools/**/*.test.ts'],
    { cwd: root },
  ))
    edit(root, file, (text) => text.replaceAll(/\b(orders|inventory)(\\?[./])v1\b/g, 'testing$2$1$2v1'));
}

/** A link to what is gone becomes its text, and so does a script; CI runs none of those. */
function unlinkDocuments(root: string): void {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isGone = (name: string) => !(name in scripts);
  edit(root, '.github/workflows/ci.yml', (text) =>
    text.replaceAll(/^ *- run: npm run ([\w:-]+).*\n/gm, (line, name) => (isGone(name) ? '' : line)),
  );
  for (const file of globSync('{*.md,docs/**/*.md,packages/*/*.md}', { cwd: root }))
    edit(root, file, (text) =>
      text
        .replaceAll(/\[([^\]]*)\]\(([^)#:]+)[^):]*\)/g, (link, label, target) =>
          existsSync(join(root, dirname(file), target)) ? link : label,
        )
        .replaceAll(/`(npm run ([\w:-]+)[^`\n]*)`/g, (quoted, command, name) =>
          isGone(name) ? command : quoted,
        ),
    );
}

/** Sections of the README that are about the example services. */
const exampleSections = ['In containers', 'How an order is placed'];

const seeItRun = `## See it run

\`\`\`sh
npm ci && npm start
\`\`\`

`;

function cutReadme(root: string): void {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  edit(root, 'README.md', (text) =>
    text
      .split(/^(?=## )/m)
      .filter((section) => !exampleSections.some((title) => section.startsWith(`## ${title}\n`)))
      .map((section) => (section.startsWith('## See it run\n') ? seeItRun : section))
      .join('')
      // A row of the table of scripts, of one that is gone.
      .replaceAll(/^\| `npm run ([\w:-]+).*\n/gm, (row, name) => (name in scripts ? row : '')),
  );
}

function editSettings(root: string): void {
  edit(root, 'package.json', (text) => {
    const manifest = JSON.parse(text);
    manifest.workspaces = manifest.workspaces.filter((each: string) => each !== 'bench');
    for (const [name, command] of Object.entries<string>(manifest.scripts)) {
      const file = /^node (\S+\.ts)/.exec(command)?.[1];
      if (file && !existsSync(join(root, file))) delete manifest.scripts[name];
    }
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });
  for (const folder of ['tools', 'test'])
    edit(root, `${folder}/package.json`, (text) => withUsed(root, folder, text));
  edit(root, '.ci/run', (text) => text.replaceAll(/ '(faults|hostile)[^']*'/g, ''));
  edit(root, '.github/workflows/ci.yml', (text) =>
    text.replaceAll(/\n {2}(faults|hostile):\n(?: {4}.*\n|\n(?= {4}))*/g, ''),
  );
  edit(root, 'biome.json', (text) =>
    text.replaceAll(/^ *"services\/(orders|inventory)\/.*\n/gm, '').replace(/("includes": \[)\s*\]/, '$1]'),
  );
  edit(root, 'knip.jsonc', (text) =>
    text
      // What the packages offer, services will use.
      .replace(/^ *\/\/ The packages' `exports`.*\n *"includeEntryExports": true,\n/m, '')
      .replace(/ *\/\/ Generated: .*\n *"gen": .*\n/, '')
      .replace(/,\s*"bench": \{[\s\S]*?\n {4}\}/, '')
      .replace(/,\s*(\/\/[^\n]*\s*)*"tools": \{[\s\S]*?\n {4}\}/, ''),
  );
}

/** A package's manifest, without the dependencies that nothing in it imports any more. */
function withUsed(root: string, folder: string, text: string): string {
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
