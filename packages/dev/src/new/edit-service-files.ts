import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorText } from '../cli/fail.ts';
import { scope } from '../repository/project.ts';
import { sortKeys } from '../repository/sort-keys.ts';
import { callEdits } from './call-edits.ts';
import { deploymentLists } from './deployment-lists.ts';
import { wordForms } from './names/word-forms.ts';
import type { Files } from './render-template.ts';
import { insertAfterLast, type NewService, type ServiceFileEdit } from './service-file-edit.ts';

/** Edits of the files that name every service. */
const listEdits: Readonly<Record<string, ServiceFileEdit>> = {
  'services.ts': addEntry,
  'package-lock.json': addWorkspace,
  'biome.json': addDomainFile,
  'buf.yaml': addContract,
  // `adopt --services none` ignores these as long as there is no service.
  'knip.jsonc': (text) =>
    text
      .replace(', "node"]', ']')
      .replace(`"${scope}/gen", `, '')
      .replace('  "ignoreWorkspaces": ["gen"],\n', ''),
  ...deploymentLists,
};

/**
 * Returns the files to write: those of the template, and those that name every service, with the new one added. Returns also the
 * paths of the latter that this repository does not have. What such a list would name, as in a component that was removed, is not
 * written.
 *
 * @throws Error when the place for the new service is not found, because the file was rewritten.
 */
export function editServiceFiles(root: string, service: NewService): { files: Files; absent: string[] } {
  const { calls } = service.plan;
  const edits = [...Object.entries(listEdits), ...Object.entries(calls ? callEdits(calls) : {})];
  const absent = [...new Set(edits.map(([file]) => file))].filter((file) => !existsSync(join(root, file)));
  const edited = new Map<string, string>();
  for (const [file, edit] of edits) {
    if (absent.includes(file)) continue;
    const text = edited.get(file) ?? readFileSync(join(root, file), 'utf8');
    const changed = attempt(file, () => edit(text, service));
    if (changed !== text) edited.set(file, changed);
  }
  const listed = [...service.rendered].filter(
    ([file]) => !absent.includes(join(dirname(file), 'kustomization.yaml')),
  );
  return { files: new Map([...listed, ...edited]), absent };
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(
      `${file} has another form than \`svc new\` expects: add the service by hand (${errorText(cause)})`,
      { cause },
    );
  }
}

function addEntry(text: string, { plan, ports }: NewService): string {
  const { service, stem, resources, rpcs, calls, contract } = plan;
  const watch = rpcs.find(({ kind }) => kind === 'watch');
  const watches = watch
    ? `watches: { '${wordForms(resources).kebab}': { method: '${watch.name}', options: {} } },\n`
    : '';
  const descriptor = `${stem}Service`;
  const examples = rpcs
    .filter(({ served }) => served)
    .flatMap(({ name, kind }) => {
      if (kind === 'create')
        return `{ method: '${name}', request: { request_id: crypto.randomUUID(), title: 'the first' } },`;
      return kind === 'list' ? `{ method: '${name}', request: { page_size: 5 } },` : [];
    });
  const entry = `  {
    name: '${service}',
    descriptor: ${descriptor},
    port: ${ports.port},
    webPort: ${ports.webPort},
    metricsPort: ${ports.metricsPort},
    calls: {${calls ? `${calls.name}: ${JSON.stringify(calls.scopes)}` : ''}},
    ${watches}examples: [${examples.join('\n')}],
  },
`;
  const file = contract?.file.name ?? `${service}/v1/${wordForms(stem).snake}_service`;
  const module = `${scope}/gen/${file}_pb`;
  const listed = insertAfterLast(
    text,
    /^export const services[^=]* = \[(?:(?:(?!^\];)[\s\S])*^ {2}\},)?/,
    `\n${entry}`,
  );
  return `import { ${descriptor} } from '${module}';\n${listed}`;
}

/** Adds the module of the application's contract, which a repository without services does not have. */
function addContract(text: string): string {
  const module = '  - path: proto\n';
  return text.includes(module) ? text : text.replace('modules:\n', `modules:\n${module}`);
}

/** Adds what `npm install` would add, without a registry, because the dependencies are installed already. */
function addWorkspace(text: string, { plan: { service }, rendered }: NewService): string {
  const folder = `services/${service}`;
  const manifest = JSON.parse(rendered.get(`${folder}/package.json`) ?? '');
  const { name, version, license, dependencies, devDependencies } = manifest;
  const lock = JSON.parse(text);
  const packages = {
    ...lock.packages,
    [folder]: { name, version, license, dependencies, devDependencies },
    [`node_modules/${name}`]: { resolved: folder, link: true },
  };
  return `${JSON.stringify({ ...lock, packages: sortKeys(packages) }, null, 2)}\n`;
}

/** Adds the domain's file to the rule that it imports neither the contract nor the database. */
function addDomainFile(text: string, { plan: { service, resource, contract } }: NewService): string {
  if (contract) return text;
  const rule = text.indexOf('"The domain knows');
  const list = '"includes": [';
  const at = text.lastIndexOf(list, rule) + list.length;
  if (rule < 0) throw new Error('no rule for the domain');
  const comma = /^\s*\]/.test(text.slice(at)) ? '' : ',';
  return `${text.slice(0, at)}\n"services/${service}/src/${wordForms(resource).kebab}.ts"${comma}${text.slice(at)}`;
}
