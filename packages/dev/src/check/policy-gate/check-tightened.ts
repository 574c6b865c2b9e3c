import { acceptedFile } from '../contract/contract-base.ts';
import type { ContractImages } from '../contract/contract-images.ts';
import { readAccepted } from './accepted-changes.ts';
import { compareContracts } from './compare-contracts.ts';
import { changeText } from './tightened.ts';

/**
 * Returns the parts of the contract that accept or promise less than before, as far as `contract-changes.yaml` does not
 * accept them, and its entries without such a part; undefined when there are neither.
 */
export function checkTightened(images: Pick<ContractImages, 'before' | 'after'>): string | undefined {
  const accepted = readAccepted(images.after.folder);
  const found = compareContracts(images);
  const changes = new Set(found.map(changeText));
  const rejected = found.filter((each) => !accepted.some(({ change }) => change === changeText(each)));
  const landed = accepted.filter(({ change }) => !changes.has(change));
  const problems = [
    ...rejected.map((each) => `${each.file}:${each.line}: ${changeText(each)}`),
    ...(rejected.length > 0 ? [howToAccept(rejected.map(changeText))] : []),
    ...landed.map(
      ({ change }) =>
        `${acceptedFile}: the contract has no such change, or it has landed; remove the entry\n  ${change}`,
    ),
  ];
  return problems.length > 0 ? problems.join('\n') : undefined;
}

function howToAccept(changes: readonly string[]): string {
  const entries = changes.map((change) => `- change: ${JSON.stringify(change)}\n  reason: `);
  return `Callers of the earlier contract may now be rejected. To accept it, add to ${acceptedFile} with a reason, until it has landed:\n${entries.join('\n')}`;
}
