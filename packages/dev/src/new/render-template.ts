import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { withProjectNames } from '../repository/project.ts';
import { capitalised, type Rpc, type ServicePlan } from './plan-service.ts';

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
 * - `each`, `each-create`, `each-get`, `each-list`, `each-other`: once for each method of that kind that is not served
 */
export function renderTemplate(folder: string, plan: ServicePlan, ports: Ports): Files {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(
    paths.map((path) => {
      const text = keepSections(readFileSync(path, 'utf8'), plan.rpcs);
      const withPorts = text.replaceAll('59999', `${ports.port}`).replaceAll('9999', `${ports.metricsPort}`);
      return [renamed(relative(folder, path), plan), withProjectNames(renamed(withPorts, plan))];
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
  const localName = rpc.name.charAt(0).toLowerCase() + rpc.name.slice(1);
  return line.replaceAll('OtherRpc', rpc.name).replaceAll('otherRpc', localName);
}

/** Replaces the template's names by the plan's, in the same case. */
function renamed(text: string, { service, stem, resource, resources }: ServicePlan): string {
  const words: Record<string, string> = { depot: service, clerk: stem, widget: resource, widgets: resources };
  return text
    .replaceAll(/\b([Aa]) (?=(depot|clerk|widget))/gi, (_all, article: string, word: string) => {
      const isVowel = /^[aeiou]/i.test(words[word.toLowerCase()] ?? '');
      return `${article}${isVowel ? 'n' : ''} `;
    })
    .replaceAll(/widgets|widget|depot|clerk/gi, (found) => {
      const word = (words[found.toLowerCase()] ?? '').toLowerCase();
      if (found === found.toUpperCase()) return word.toUpperCase();
      return found === found.toLowerCase() ? word : capitalised(word);
    });
}
