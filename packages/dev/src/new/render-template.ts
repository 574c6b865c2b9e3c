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
  readonly webPort: number;
  readonly metricsPort: number;
}

/** The first line of a section of the template: `// <name>`, `# <name>` or `-- <name>`. The last is `// </name>`. */
const sectionStart = /^\s*(?:\/\/|--|#) <([a-z|-]+)>$/;

/**
 * Returns the files of `packages/dev/template/` with the names of the plan. A section is kept depending on its name:
 *
 * - `create`, `change`, `get`, `list`, `watch`: if the service serves such a method. `a|b` is kept for either.
 * - `no-create`, `no-change`: if the service serves no method that creates or changes the resource
 * - `state`: if the resource has a state. `resource`, `calls`, `settle`: if the plan has them. With `no-` before it: if not.
 * - `any-other`: if the service has methods that the template does not serve
 * - `each`, `each-create`, `each-server` and so on: once for each method of that kind that is not served
 * - `each-change`: once for each served method that changes the resource
 *
 * A file without content is left out. `NAME.proto.ts` is `NAME.ts` of a service whose contract was there before. Such a service
 * has no resource.
 */
export function renderTemplate(plan: ServicePlan, ports: Ports): Files {
  const isWritten = (path: string) => plan.contract === undefined || !/\.proto$|spare[-_]part/.test(path);
  const paths = readdirSync(templateFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isWritten(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const flags = flagsOf(plan);
  const files = paths.map((path): [string, string] => {
    const text = keepSections(readFileSync(path, 'utf8').split('\n'), flags, plan.rpcs).join('\n');
    const withPorts = text
      .replaceAll('59999', `${ports.port}`)
      .replaceAll('57777', `${ports.webPort}`)
      .replaceAll('9999', `${ports.metricsPort}`)
      .replaceAll('58888', `${plan.calls?.port}`);
    const name = relative(templateFolder, path).replace(/\.proto\.ts$/, '.ts');
    return [renamed(name, plan), withProjectNames(renamed(closeLists(numberStates(withPorts)), plan))];
  });
  return new Map(files.filter(([, text]) => text.trim() !== ''));
}

/** Returns the names of the sections that are kept once. */
function flagsOf({ rpcs, calls, settle, contract }: ServicePlan): ReadonlySet<string> {
  const served = rpcs.filter((rpc) => rpc.served).map(({ kind }) => kind);
  const features: Readonly<Record<string, boolean>> = {
    state: settle || served.includes('change'),
    create: served.includes('create'),
    change: served.includes('change'),
    settle,
    calls: calls !== undefined,
    resource: contract === undefined,
  };
  return new Set([
    ...served,
    ...Object.entries(features).map(([name, isOn]) => (isOn ? name : `no-${name}`)),
    ...(rpcs.some((rpc) => !rpc.served) ? ['any-other'] : []),
  ]);
}

function keepSections(lines: readonly string[], flags: ReadonlySet<string>, rpcs: readonly Rpc[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const name = sectionStart.exec(line)?.[1];
    if (name === undefined) {
      kept.push(line);
      continue;
    }
    const end = lines.indexOf(line.replace('<', '</'), index);
    if (end < 0) throw new Error(`the template does not close its section ${name}`);
    const section = keepSections(lines.slice(index + 1, end), flags, rpcs);
    const names = name.split('|');
    if (names.some((each) => flags.has(each))) kept.push(...section);
    for (const rpc of rpcsOf(names, rpcs)) kept.push(...section.map((each) => withRpc(each, rpc)));
    index = end;
  }
  return kept;
}

/** Returns the methods for each of which a section is written. */
function rpcsOf(names: readonly string[], rpcs: readonly Rpc[]): readonly Rpc[] {
  return rpcs.filter(({ kind, served }) =>
    served
      ? kind === 'change' && names.includes('each-change')
      : names.includes('each') || names.includes(`each-${kind}`),
  );
}

function withRpc(line: string, { name, state }: Rpc): string {
  return line
    .replaceAll('OtherRpc', name)
    .replaceAll('otherRpc', localNameOf(name))
    .replaceAll('RetireSparePart', name)
    .replaceAll('retireSparePart', localNameOf(name))
    .replaceAll('RETIRED', state ?? '');
}

/** Numbers the values of the enum of states, of which each service has others. */
function numberStates(text: string): string {
  let number = 0;
  return text.replaceAll(/( STATE_[A-Z]+ = )\d+;/g, (_all, start: string) => `${start}${number++};`);
}

/** Closes the lists of states, whose last item depends on the service: a comma in SQL, and `never` in TypeScript, end them. */
function closeLists(text: string): string {
  return text.replaceAll(/,(?=\n *\)\),\n)|\n *\| never(?=;\n)/g, '');
}

/** Replaces the template's names by the plan's, in the same form. Its names have two words, so that each form is distinct. */
function renamed(
  text: string,
  { service, stem, resource, resources, rpcs, calls, contract }: ServicePlan,
): string {
  const servedAs = (kind: string) => rpcs.find((rpc) => rpc.kind === kind && rpc.served);
  const creator = servedAs('create')?.name ?? 'CreateSparePart';
  const watcher = servedAs('watch')?.name ?? 'WatchSpareParts';
  const called = calls?.name ?? 'supplier';
  const names: Readonly<Record<string, string>> = {
    frontdesk: stem,
    sparepart: resource,
    spareparts: resources,
  };
  return text
    .replaceAll(/CreateSparePart(?!\w*Store)/g, creator)
    .replaceAll(/createSparePart(?!\w*Store)/g, localNameOf(creator))
    .replaceAll('depot/v1/front_desk_service_pb', contract ? `${contract.file.name}_pb` : '$&')
    .replaceAll('WatchSpareParts', watcher)
    .replaceAll('watchSpareParts', localNameOf(watcher))
    .replaceAll('STORED', servedAs('create')?.state ?? 'CREATED')
    .replaceAll('supplier/v1/supplier_service_pb', `${calls?.descriptor.file.name}_pb`)
    .replaceAll('SupplierService', calls?.descriptor.name ?? '')
    .replaceAll('supplier', called)
    .replaceAll('SUPPLIER', called.toUpperCase())
    .replaceAll('Supplier', capitalised(called))
    .replaceAll('depot', service)
    .replaceAll('DEPOT', service.toUpperCase())
    .replaceAll('Depot', capitalised(service))
    .replaceAll(
      /(?:\b([Aa]) )?((?:[Ss]pare|SPARE|[Ff]ront)([ _-]?)(?:[Pp]arts?|PART|[Dd]esk))/g,
      (_all, determiner, found, separator) => {
        const forms = wordForms(names[found.replace(/[ _-]/, '').toLowerCase()] ?? '');
        const name = inFormOf(found, separator, forms);
        return determiner === undefined ? name : `${determiner}${/^[aeiou]/i.test(name) ? 'n' : ''} ${name}`;
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
