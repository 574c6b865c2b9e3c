import type { Policies } from '@acme/rpc/contract';
import { runCommand } from '../cli/run-command.ts';
import { checkBreaking } from './contract/check-breaking.ts';
import { checkPolicies } from './contract/check-policies.ts';
import { contractBase } from './contract/contract-base.ts';
import { type ContractImages, compileContracts } from './contract/contract-images.ts';
import { checkTightened } from './policy-gate/check-tightened.ts';
import type { Check } from './run-checks.ts';

/**
 * Returns the checks of the contract in `folder`. They need buf, a buf.yaml and the history, and nothing else of this
 * repository.
 */
export function contractChecks(
  folder: string,
  loadPolicies: () => Promise<Policies>,
): Readonly<Record<string, Check>> {
  const buf = (...args: string[]) => {
    runCommand(folder, 'buf', ...args);
    return undefined;
  };
  const compareWithBase = (compare: (images: ContractImages) => string | undefined) => {
    const base = contractBase(process.env.CONTRACT_BASE, folder);
    if (base === undefined) {
      process.stdout.write('     no earlier commit has a contract to compare with\n');
      return undefined;
    }
    using images = compileContracts(base, folder);
    return compare(images);
  };
  return {
    'buf lint': () => buf('lint'),
    'buf format': () => buf('format', '--diff', '--exit-code'),
    'buf breaking': () => compareWithBase(checkBreaking),
    'no tighter policy or rule': () => compareWithBase(checkTightened),
    'a policy on every method': async () => checkPolicies(folder, await loadPolicies()),
  };
}
