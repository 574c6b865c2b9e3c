import type { Rig, Service } from '../../cluster/cluster.ts';
import type { Replica } from '../../cluster/replica.ts';
import type { Random } from '../../harness/seeded-random.ts';
import type { Limits } from './limits.ts';

/** What a hostile caller does to a replica, and the limits that hold meanwhile. A line of the table. */
export interface Attack {
  readonly name: string;
  /** What is sent, for the table. */
  readonly sends: string;
  /** The attacked service; orders when absent. */
  readonly service?: Service;
  /** Limits that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Makes what the attack needs, in the process of the suite: tokens, orders. Returned texts reach `strike`. */
  readonly prepare?: (stage: Stage) => Promise<readonly string[]>;
  /** Attacks, in a process of its own. Whatever it leaves open is closed when that process ends. */
  readonly strike: (strike: Strike) => Promise<void>;
}

export interface Stage {
  readonly rig: Rig;
  /** The replica to attack. */
  readonly replica: Replica;
  readonly isShort: boolean;
}

export interface Strike {
  /** The port of the attacked replica, and of one replica of each service. */
  readonly port: number;
  readonly ports: Readonly<Record<Service, number>>;
  readonly isShort: boolean;
  readonly random: Random;
  /** A secret that must not be in the log: part of every token and text that the attacker makes up. */
  readonly canary: string;
  /** The attacker's own token: of the customer `attacker` at orders, of a warehouse at inventory. */
  readonly token: string;
  readonly prepared: readonly string[];
  /** Fails the attack with this text if `holds` is false. */
  expect(holds: boolean, text: string): void;
  /** Shows a measurement beside the result. */
  note(text: string): void;
}

/** The customer or warehouse that attacks. */
export const attackerSubject = 'attacker';

export const scopesOf: Readonly<Record<Service, readonly string[]>> = {
  orders: ['orders:read', 'orders:write'],
  inventory: ['inventory:read', 'inventory:write', 'inventory:reserve'],
};
