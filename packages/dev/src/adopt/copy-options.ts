import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { choice, flag, requiredText, text } from '../cli/arguments/option.ts';
import { reject } from '../cli/reject.ts';

/** The copy that `adopt` makes of this repository. */
export interface CopyOptions {
  /** Scope of its packages: `@initech`. */
  readonly scope: string;
  /** Name in images, labels, namespaces, SPIFFE IDs and the issuer of development: `initech`. */
  readonly name: string;
  /** Whether it keeps orders and inventory. */
  readonly keepsExamples: boolean;
  /** Whether it keeps `packages/`. Otherwise npm installs the kit. */
  readonly isKitVendored: boolean;
  /** Whether it keeps the proof: faults, hostile callers, measurements, and the documents about them. */
  readonly keepsLab: boolean;
  /** Folder of tarballs of the kit, instead of a registry. */
  readonly packages: string | undefined;
  readonly freshHistory: boolean;
}

/** Parses the command line. Rejects an invalid one. */
export function readCopyOptions(): CopyOptions {
  const { values } = parseCommandLine({
    call: 'npm run adopt',
    summary: 'Makes a fresh clone your own repository. It is run once.',
    options: {
      scope: requiredText('@SCOPE', 'npm scope of your packages'),
      name: requiredText('NAME', 'name in images, labels, namespaces and SPIFFE IDs'),
      services: text('none|orders,inventory', 'the example services to keep', 'orders,inventory'),
      kit: choice(
        ['vendored', 'installed'],
        'vendored keeps the packages rpc, postgres and dev as folders, installed depends on those of npm',
        'vendored',
      ),
      packages: text('FOLDER', 'the kit as tarballs, for a copy that has no registry'),
      lab: flag(
        'keeps faults, hostile callers and measurements, which need the example services and the vendored kit',
      ),
      'fresh-history': flag('removes the history'),
    },
  });
  const { scope, name, services, kit, packages, lab } = values;
  if (!/^@[a-z0-9][a-z0-9-]{0,38}$/.test(scope))
    reject(`--scope must be a scope of npm, such as @mycompany, not "${scope}"`);
  if (!/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/.test(name))
    reject(`--name must be 2 to 30 lower-case letters, digits and hyphens, such as mycompany, not "${name}"`);
  if (services !== 'none' && services.split(',').sort().join() !== 'inventory,orders')
    reject(`--services must be orders,inventory or none, because orders calls inventory, not "${services}"`);
  if (packages !== undefined && kit !== 'installed') reject('--packages needs --kit installed');
  if (lab && (services === 'none' || kit === 'installed'))
    reject('--lab needs orders, inventory and the vendored kit, which it measures');
  return {
    scope,
    name,
    keepsExamples: services !== 'none',
    isKitVendored: kit === 'vendored',
    keepsLab: lab,
    packages,
    freshHistory: values['fresh-history'],
  };
}
