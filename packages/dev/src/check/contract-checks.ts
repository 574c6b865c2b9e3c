import type { Policies } from '@acme/rpc/contract';
import { runCommand } from '../cli/run-command.ts';
import { checkBreaking } from './contract/check-breaking.ts';
import { checkPolicies } from './contract/check-policies.ts';
import type { CompiledContract, ContractImages } from './contract/contract-images.ts';
import { checkTightened } from './policy-gate/check-tightened.ts';
import type { Check } from './run-checks.ts';

/** Returns the checks of a contract. They need buf, a buf.yaml and the history, and nothing else of this repository. */
export function contractChecks(
  contract: CompiledContract,
  loadPolicies: () => Promise<Policies>,
): Readonly<Record<string, Check>> {
  const buf = (...args: string[]) => {
    runCommand(contract.folder, 'buf', ...args);
    return undefined;
  };
  const compareWithBase = (compare: (images: ContractImages) => string | undefined) => {
    const before = contract.earlier();
    if (!before) {
      process.stdout.write('     no earlier commit has a contract to compare with\n');
      return undefined;
    }
    return compare({ before, after: contract.present() });
  };
  return {
    'buf lint': () => buf('lint'),
    'buf format': () => buf('format', '--diff', '--exit-code'),
    'buf breaking': () => compareWithBase(checkBreaking),
    'no tighter policy or rule': () => compareWithBase(checkTightened),
    'a policy on every method': async () => checkPolicies(contract.present(), await loadPolicies()),
  };
}
