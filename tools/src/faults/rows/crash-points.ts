import { setTimeout as sleep } from 'node:timers/promises';
import type { TrapOptions } from '../postgres-proxy.ts';
import { caught, type Row } from '../row.ts';

/** The moments at which a process dies, one row each, under load. The numbers are those of docs/reliability.md. */
export const crashPoints: readonly Row[] = [
  killed('1-before-t1', 'orders is killed before T1 reaches the database', {
    of: 'orders',
    at: { phase: 'request', statement: 'place-orders' },
  }),
  killed('2-after-t1', 'orders is killed with T1 committed, before the reserve is sent', {
    of: 'orders',
    at: { phase: 'answer', statement: 'place-orders' },
  }),
  killed('3-inside-t2', 'inventory is killed in the middle of T2', {
    of: 'inventory',
    at: { phase: 'answer', statement: 'lock-stock' },
  }),
];

interface Killing {
  readonly of: 'orders' | 'inventory';
  readonly at: Pick<TrapOptions, 'phase' | 'statement' | 'tag'>;
  /** Whether what was caught goes on its way first. */
  readonly forwarded?: boolean;
}

function killed(name: string, fault: string, { of, at, forwarded = false }: Killing): Row {
  return {
    name,
    fault,
    rounds: { short: 2, long: 20 },
    round: async ({ rig, random }) => {
      const victim = random.pick(rig[of]);
      await caught(victim.statements, {
        ...at,
        skip: random.int(0, 4),
        act: async ({ forward }) => {
          if (forwarded) forward();
          await victim.kill();
        },
      });
      await victim.start();
      await sleep(random.int(0, 200));
    },
  };
}
