import type { Service } from '../cluster/cluster.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { allAttacks } from './attacks/all.ts';

/** The order that the process of an attack takes. */
export interface AttackOrder {
  readonly name: string;
  readonly port: number;
  readonly ports: Readonly<Record<Service, number>>;
  readonly isShort: boolean;
  readonly seed: string;
  readonly canary: string;
  readonly token: string;
  readonly prepared: readonly string[];
}

process.once('message', (order) => strike(order as AttackOrder));
process.once('disconnect', () => process.exit());

/** Runs one attack. The process stays, with all that the attack holds open, until it is killed. */
async function strike({ name, seed, ...order }: AttackOrder): Promise<void> {
  const attack = allAttacks.find((each) => each.name === name);
  const expect = (holds: boolean, text: string) => {
    if (!holds) report({ kind: 'unmet', text });
  };
  const note = (text: string) => report({ kind: 'note', text });
  try {
    await attack?.strike({ ...order, random: seededRandom(`${seed} ${name}`), expect, note });
  } catch (error) {
    expect(false, `the attack could not be made: ${error instanceof Error ? error.stack : error}`);
  }
  report({ kind: 'struck' });
}

function report(message: object): void {
  if (process.connected) process.send?.(message);
}
