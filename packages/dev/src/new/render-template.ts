import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { templateFolder, withProjectNames } from '../repository/project.ts';
import { capitalised, localNameOf, type WordForms, wordForms } from './names/word-forms.ts';
import type { Rpc } from './plan-rpcs.ts';
import type { ServicePlan } from './plan-service.ts';

/** The texts of files, by their paths from the repository's root. */
export type Files = ReadonlyMap<string, string>;

export interface Ports {
  readonly port: number;
  readonly metricsPort: number;
}

/** The first line of a section of the template: `// <name>`, `# <name>` or `-- <name>`. The last is `// </name>`. */
const sectionStart = /^\s*(?:\/\/|--|#) <([a-z|-]+)>$/;

/**
 * Returns the files of `packages/dev/template/` with the names of the plan. A section is kept depending on its name:
 *
 * - `create`, `get`, `list`: if the service serves that method. `a|b` is kept for either.
 * - `any-other`: if the service has methods that the template does not serve
 * - `each`, `each-create`, `each-server` and so on: once for each method of that kind that is not served
 */
export function renderTemplate(plan: ServicePlan, ports: Ports): Files {
  const paths = readdirSync(templateFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(
    paths.map((path) => {
      const text = keepSections(readFileSync(path, 'utf8'), plan.rpcs);
      const withPorts = text.replaceAll('59999', `${ports.port}`).replaceAll('9999', `${ports.metricsPort}`);
      return [renamed(relative(templateFolder, path), plan), withProjectNames(renamed(withPorts, plan))];
    }),
  );
}

function keepSections(text: string, rpcs: readonly Rpc[]): string {
  const kept: string[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const name = sectionStart.exec(line)?.[1];
    if (name === undefined) {
      kept.push(line);
      continue;
    }
    const end = lines.indexOf(line.replace('<', '</'), index);
    if (end < 0) throw new Error(`the template does not close its section ${name}`);
    const section = lines.slice(index + 1, end);
    for (const rpc of rpcsOf(name.split('|'), rpcs)) kept.push(...section.map((each) => withRpc(each, rpc)));
    index = end;
  }
  return kept.join('\n');
}

/** Returns the methods for which a section is written. Undefined is a section that is written once, for no method. */
function rpcsOf(names: readonly string[], rpcs: readonly Rpc[]): readonly (Rpc | undefined)[] {
  const others = rpcs.filter(({ served }) => !served);
  const each = others.filter(({ kind }) => names.includes('each') || names.includes(`each-${kind}`));
  const once =
    rpcs.some(({ kind, served }) => served && names.includes(kind)) ||
    (names.includes('any-other') && others.length > 0);
  return once ? [undefined] : each;
}

function withRpc(line: string, rpc: Rpc | undefined): string {
  if (!rpc) return line;
  return line.replaceAll('OtherRpc', rpc.name).replaceAll('otherRpc', localNameOf(rpc.name));
}

/** Replaces the template's names by the plan's, in the same form. Its names have two words, so that each form is distinct. */
function renamed(text: string, { service, stem, resource, resources, rpcs }: ServicePlan): string {
  const creator = rpcs.find(({ kind, served }) => kind === 'create' && served)?.name ?? 'CreateSparePart';
  const names: Readonly<Record<string, string>> = {
    frontdesk: stem,
    sparepart: resource,
    spareparts: resources,
  };
  return text
    .replaceAll(/CreateSparePart(?!Store)/g, creator)
    .replaceAll(/createSparePart(?!Store)/g, localNameOf(creator))
    .replaceAll('depot', service)
    .replaceAll('DEPOT', service.toUpperCase())
    .replaceAll('Depot', capitalised(service))
    .replaceAll(
      /(?:\b([Aa]) )?((?:[Ss]pare|SPARE|[Ff]ront)([ _-]?)(?:[Pp]arts?|PART|[Dd]esk))/g,
      (_all, article, found, separator) => {
        const forms = wordForms(names[found.replace(/[ _-]/, '').toLowerCase()] ?? '');
        const name = inFormOf(found, separator, forms);
        return article === undefined ? name : `${article}${/^[aeiou]/i.test(name) ? 'n' : ''} ${name}`;
      },
    );
}

function inFormOf(
  found: string,
  separator: string,
  { pascal, camel, snake, kebab, prose }: WordForms,
): string {
  const isCapitalised = /^[A-Z]/.test(found);
  if (separator === '_') return isCapitalised ? snake.toUpperCase() : snake;
  if (separator === '-') return kebab;
  if (separator === ' ') return isCapitalised ? capitalised(prose) : prose;
  return isCapitalised ? pascal : camel;
}
