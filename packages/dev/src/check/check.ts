import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Policies } from '@acme/rpc/contract';
import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { choice } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { folderWith, isTemplate, root } from '../repository/paths.ts';
import { contractFiles } from './contract/contract-base.ts';
import { openContract } from './contract/contract-images.ts';
import { contractChecks } from './contract-checks.ts';
import { runChecks } from './run-checks.ts';

const { values } = parseCommandLine({
  call: 'npx svc check',
  summary: 'Runs every check of CI but the tests.',
  options: {
    only: choice(
      ['all', 'contract'],
      'contract: the checks of the contract, in any repository with a buf.yaml',
      'all',
    ),
  },
});

if (values.only === 'contract') {
  const folder = folderWith(contractFiles, process.cwd());
  if (folder === undefined) fail('no buf.yaml in this folder or above: buf config init writes one');
  if (spawnSync('buf', ['--version']).status !== 0)
    fail('buf is not installed, or not in PATH: npm install --save-dev @bufbuild/buf, and npx svc');
  using contract = openContract(folder);
  await runChecks(contractChecks(contract, () => policiesIn(folder)));
} else {
  if (!isTemplate)
    fail('svc check works in a copy of the template only. svc check --only contract works everywhere');
  const { repositoryChecks } = await import('./repository-checks.ts');
  using contract = openContract(root);
  await runChecks({ ...repositoryChecks, ...contractChecks(contract, () => policiesIn(root)) });
}

/** Returns the policies that the repository states in its services.ts. */
async function policiesIn(folder: string): Promise<Policies> {
  if (folder !== root || !existsSync(join(root, 'services.ts'))) return {};
  return (await import('../repository/load-services.ts')).policies;
}
