import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Addition } from './addition.ts';
import { deploymentLists } from './deployment-lists.ts';
import { insertAfterLast } from './insert-after.ts';
import type { Files } from './render.ts';

/** A file that lists the services, and the text that it has with one more. */
const lists: Readonly<Record<string, (text: string, addition: Addition) => string>> = {
  'services.ts': withEntry,
  'package-lock.json': withWorkspace,
  'biome.json': withDomainFile,
  ...deploymentLists,
};

/**
 * The files that list the services, with the new one, and those that this repository does not have.
 *
 * @throws Error when a list is not where it was: its file has been rewritten.
 */
export function extendLists(root: string, addition: Addition): { extended: Files; absent: string[] } {
  const absent = Object.keys(lists).filter((file) => !existsSync(join(root, file)));
  const extended = new Map<string, string>();
  for (const [file, extend] of Object.entries(lists))
    if (!absent.includes(file))
      extended.set(
        file,
        attempt(file, () => extend(readFileSync(join(root, file), 'utf8'), addition)),
      );
  return { extended, absent };
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(
      `${file} does not look as it did when this tool was written: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function withEntry(text: string, { plan, ports }: Addition): string {
  const { service, stem, rpcs } = plan;
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
    metricsPort: ${ports.metricsPort},
    calls: {},
    examples: [${examples.join('\n')}],
  },
`;
  const module = `@acme/gen/${service}/v1/${stem.toLowerCase()}_service_pb`;
  const listed = insertAfterLast(text, /^export const services[^=]* = \[(?:[\s\S]*^ {2}\},)?/, `\n${entry}`);
  return `import { ${descriptor} } from '${module}';\n${listed}`;
}

/** As `npm install` would write it, and without asking a registry: its dependencies are there already. */
function withWorkspace(text: string, { plan: { service }, rendered }: Addition): string {
  const folder = `services/${service}`;
  const manifest = JSON.parse(rendered.get(`${folder}/package.json`) ?? '');
  const { name, version, license, dependencies, devDependencies } = manifest;
  const lock = JSON.parse(text);
  const packages = {
    ...lock.packages,
    [folder]: { name, version, license, dependencies, devDependencies },
    [`node_modules/${name}`]: { resolved: folder, link: true },
  };
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`;
}

/** The domain's file: neither the contract nor the database may be imported there. */
function withDomainFile(text: string, { plan: { service, thing } }: Addition): string {
  const rule = text.indexOf('"The domain knows');
  const list = '"includes": [';
  const at = text.lastIndexOf(list, rule) + list.length;
  if (rule < 0) throw new Error('biome.json has no rule of its own for the domain');
  const comma = /^\s*\]/.test(text.slice(at)) ? '' : ',';
  return `${text.slice(0, at)}\n"services/${service}/src/${thing.toLowerCase()}.ts"${comma}${text.slice(at)}`;
}
