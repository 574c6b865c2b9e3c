import type { Cluster, Service } from '../../cluster/cluster.ts';
import type { Replica } from '../../cluster/replica.ts';
import type { Random } from '../../harness/seeded-random.ts';
import type { Limits } from './limits.ts';

/** One attack on a replica and the limits that must hold during it. A row of the table in docs/reliability.md. */
export interface Attack {
  readonly name: string;
  /** Description of the requests, for the table. */
  readonly sends: string;
  /** The attacked service. Default orders. */
  readonly service?: Service;
  /** Limits that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Makes tokens or orders for the attack, in the process of the suite. `run` receives the result as `prepared`. */
  readonly prepare?: (setup: AttackSetup) => Promise<readonly string[]>;
  /** Attacks the replica from a separate process. What it leaves open is closed when that process ends. */
  readonly run: (context: AttackContext) => Promise<void>;
}

export interface AttackSetup {
  readonly cluster: Cluster;
  /** The replica to attack. */
  readonly replica: Replica;
  readonly isShort: boolean;
}

export interface AttackContext {
  /** Port of the attacked replica. */
  readonly port: number;
  /** Its port for browsers. */
  readonly webPort: number;
  /** Port of one replica of each service. */
  readonly ports: Readonly<Record<Service, number>>;
  readonly isShort: boolean;
  readonly random: Random;
  /** A secret that must not be in the log: part of every token and text that the attacker makes up. */
  readonly canary: string;
  /** The attacker's own token: with a customer's scopes at orders, a warehouse's at inventory. */
  readonly token: string;
  readonly prepared: readonly string[];
  /** Fails the attack with this text if `holds` is false. */
  expect(holds: boolean, text: string): void;
  /** Shows a measurement beside the result. */
  note(text: string): void;
}

/** Subject of the attacker's tokens. */
export const attackerSubject = 'attacker';

export const scopesOf: Readonly<Record<Service, readonly string[]>> = {
  orders: ['orders:read', 'orders:write'],
  inventory: ['inventory:read', 'inventory:write', 'inventory:reserve'],
};
