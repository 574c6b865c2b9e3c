import { bugsOfInventory } from './inventory.ts';
import { bugsOfOrders } from './orders.ts';
import { bugsOfPackages } from './packages.ts';
import type { PlantedBug } from './planted-bug.ts';

/** Names of the bugs that a short run tries. */
export const bugsInShort = ['t3-without-guard', 'unknown-is-rejected', 'cancel-without-release'];

export const plantedBugs: readonly PlantedBug[] = [...bugsOfOrders, ...bugsOfInventory, ...bugsOfPackages];
