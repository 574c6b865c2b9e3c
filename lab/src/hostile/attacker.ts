import type { Service } from '../cluster/cluster.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { allAttacks } from './attacks/all.ts';

/** The message that starts an attack in its process. */
export interface AttackTask {
  readonly name: string;
  readonly port: number;
  readonly webPort: number;
  readonly ports: Readonly<Record<Service, number>>;
  readonly isShort: boolean;
  readonly seed: string;
  readonly canary: string;
  readonly token: string;
  readonly prepared: readonly string[];
}

process.once('message', (task) => run(task as AttackTask));
process.once('disconnect', () => process.exit());

/** Runs one attack. The process keeps everything open that the attack opened, until it is killed. */
async function run({ name, seed, ...task }: AttackTask): Promise<void> {
  const attack = allAttacks.find((each) => each.name === name);
  const expect = (holds: boolean, text: string) => {
    if (!holds) report({ kind: 'unmet', text });
  };
  const note = (text: string) => report({ kind: 'note', text });
  try {
    await attack?.run({ ...task, random: seededRandom(`${seed} ${name}`), expect, note });
  } catch (error) {
    expect(false, `the attack failed: ${error instanceof Error ? error.stack : error}`);
  }
  report({ kind: 'finished' });
}

function report(message: object): void {
  if (process.connected) process.send?.(message);
}
