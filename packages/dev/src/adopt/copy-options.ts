import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';

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

const usage = `usage: npm run adopt -- --scope @SCOPE --name NAME [--services none|orders,inventory] [--kit vendored|installed]
       [--packages FOLDER] [--lab] [--fresh-history]

Makes a fresh clone your own repository. It is run once.

--services      the example services to keep. Default: orders,inventory
--kit           vendored keeps the packages rpc, postgres and dev as folders (default). installed depends on those of npm
--packages      folder with the kit as tarballs, for a copy that has no registry
--lab           keeps faults, hostile callers and measurements. They need the example services and the vendored kit
--fresh-history removes the history`;

/** Parses the command line. An invalid option ends the process with an error and the usage. */
export function readCopyOptions(): CopyOptions {
  const { values } = parseCommandLine({
    usage,
    options: {
      scope: { type: 'string', default: '' },
      name: { type: 'string', default: '' },
      services: { type: 'string', default: 'orders,inventory' },
      kit: { type: 'string', default: 'vendored' },
      packages: { type: 'string' },
      lab: { type: 'boolean', default: false },
      'fresh-history': { type: 'boolean', default: false },
    },
  });
  const { scope, name, services, kit, packages, lab } = values;
  if (!/^@[a-z0-9][a-z0-9-]{0,38}$/.test(scope))
    fail(`--scope must be a scope of npm, such as @mycompany\n${usage}`);
  if (!/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/.test(name))
    fail(`--name must be 2 to 30 lower-case letters, digits and hyphens, such as mycompany\n${usage}`);
  if (services !== 'none' && services.split(',').sort().join() !== 'inventory,orders')
    fail(`--services must be orders,inventory or none, because orders calls inventory\n${usage}`);
  if (kit !== 'vendored' && kit !== 'installed') fail(`--kit must be vendored or installed\n${usage}`);
  if (packages !== undefined && kit !== 'installed') fail(`--packages needs --kit installed\n${usage}`);
  if (lab && (services === 'none' || kit === 'installed'))
    fail(`--lab needs orders, inventory and the vendored kit, which it measures\n${usage}`);
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
