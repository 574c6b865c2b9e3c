import type { Cluster } from '../../cluster/cluster.ts';
import type { Customers } from '../../harness/customers.ts';
import type { Call, Purchase } from '../../harness/history.ts';
import type { Random } from '../../harness/seeded-random.ts';

/** A fault and its expectations. The runner checks all invariants after every scenario. */
export interface Scenario {
  readonly name: string;
  /** Description of the fault and the expected behaviour, for the table in docs/reliability.md. */
  readonly fault: string;
  /** Number of rounds in a short and in a long run. */
  readonly rounds: { readonly short: number; readonly long: number };
  /** False if no customers place orders meanwhile. */
  readonly traffic?: false;
  /** Whether watchers follow the customers' orders, and must receive every event. */
  readonly watched?: true;
  /** Requirements beyond two orders replicas and one inventory replica. Scenarios with equal ones share a cluster. */
  readonly cluster?: ClusterNeeds;
  /** Causes the fault once. The runner ends faults that are still active. Throws if the fault cannot be caused. */
  readonly round: (context: ScenarioContext) => Promise<void>;
}

export interface ClusterNeeds {
  readonly inventoryReplicas?: number;
  /** Whether the databases of orders and inventory are on servers of their own, each with a standby. */
  readonly standbys?: true;
  /** URL of a module that the services load first. */
  readonly preload?: string;
  /** Size of a separate disk for PostgreSQL, in MiB. Where it cannot be mounted, the scenario is skipped. */
  readonly diskMiB?: number;
}

/** Facilities that the runner gives to a round. */
export interface ScenarioContext {
  readonly cluster: Cluster;
  readonly random: Random;
  /** Number of the round, from 0. */
  readonly round: number;
  readonly isShort: boolean;
  /** A client whose calls are in the history, so that its outcomes are checked. */
  readonly customers: Customers;
  readonly history: readonly Call[];
  /** Returns a purchase of a new customer with a new request id. */
  purchase(units: Purchase['units']): Purchase;
  /** Sets the units on hand of these SKUs. */
  setStock(units: Readonly<Record<string, number>>): Promise<void>;
  /** Fails the scenario with this text if `holds` is false. */
  expect(holds: boolean, text: string): void;
  /** Shows a text beside the result. */
  note(text: string): void;
  /** Records durations. The p99 of all durations with one name, over all rounds, must not exceed the limit. */
  measure(name: string, durationsMs: readonly number[], limitMs: number): void;
}
