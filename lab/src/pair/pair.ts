import { services } from '@acme/dev/repository/services';
import { type ServicesAccess, targetOf } from '@acme/dev/repository/services-access';
import { type RunningServices, startServices } from '@acme/dev/start/start-services';

export interface PairOptions {
  readonly dataFolder: string;
  /** 0 for any that is free. */
  readonly ordersPort: number;
  readonly inventoryPort: number;
  /** Where each service shows its metrics, if it can listen there; not at all when absent. */
  readonly metricsPorts?: Readonly<Record<'orders' | 'inventory', number>>;
  /** Hears of each part that is up. */
  readonly onStep: (what: string) => void;
}

/** Where a pair is reached, and how to get a token for it. */
export interface PairAccess extends Omit<ServicesAccess, 'targets'> {
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
}

export interface Pair extends PairAccess, Omit<RunningServices, 'targets'> {}

/** Starts PostgreSQL, orders and inventory, as processes of their own, with development keys and tokens. */
export async function startPair(options: PairOptions): Promise<Pair> {
  const { dataFolder, ordersPort, inventoryPort, metricsPorts, onStep } = options;
  const running = await startServices({
    dataFolder,
    services: services.filter(({ name }) => name === 'orders' || name === 'inventory'),
    ports: { orders: ordersPort, inventory: inventoryPort },
    metricsPorts,
    onStep,
  });
  return { ...running, ...pairOf(running) };
}

/** Orders and inventory among the services that run. */
export function pairOf(access: ServicesAccess): PairAccess {
  const { targets: _all, ...rest } = access;
  return {
    ...rest,
    ordersTarget: targetOf(access, 'orders'),
    inventoryTarget: targetOf(access, 'inventory'),
  };
}
