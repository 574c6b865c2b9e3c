import { type ServicesAccess, services, targetOf, withCalledServices } from '@acme/dev/repository';
import { announcedServices, findRunningServices, type RunningServices, startServices } from '@acme/dev/start';

export interface PairOptions {
  readonly dataFolder: string;
  /** 0 for any free port. */
  readonly ordersPort: number;
  readonly inventoryPort: number;
  /** Ports for browsers; 0 is any free port. A service that is absent here has none. */
  readonly webPorts?: Partial<Readonly<Record<'orders' | 'inventory', number>>>;
  /** Ports of the Prometheus exporters. A service whose port is taken, or absent here, exports no metrics. */
  readonly metricsPorts?: Readonly<Record<'orders' | 'inventory', number>>;
  /** Called when a part of the pair is up. */
  readonly onStep: (what: string) => void;
}

/** The targets and tokens of a running pair. */
export interface PairAccess extends Omit<ServicesAccess, 'targets'> {
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
}

export interface Pair extends PairAccess, Omit<RunningServices, 'targets'> {}

/** Starts PostgreSQL, orders and inventory as processes, with all that they call, development keys and tokens. */
export async function startPair(options: PairOptions): Promise<Pair> {
  const { dataFolder, ordersPort, inventoryPort, webPorts, metricsPorts, onStep } = options;
  const started = withCalledServices(services, ['orders', 'inventory']);
  const anyPorts = Object.fromEntries(started.map(({ name }) => [name, 0]));
  const running = await startServices({
    dataFolder,
    services: started,
    ports: { ...anyPorts, orders: ordersPort, inventory: inventoryPort },
    webPorts,
    metricsPorts,
    onStep,
  });
  return { ...running, ...pairOf(running) };
}

/** Returns the pair that runs on this data folder. Undefined if none responds. */
export async function findRunningPair(dataFolder: string): Promise<PairAccess | undefined> {
  const running = await findRunningServices(dataFolder);
  return running && pairOf(running);
}

/**
 * Returns the pair that was started on this data folder, without a call of it: it may not respond.
 *
 * @throws Error if there is none.
 */
export async function announcedPair(dataFolder: string): Promise<PairAccess> {
  return pairOf(await announcedServices(dataFolder));
}

function pairOf(access: ServicesAccess): PairAccess {
  const { targets: _all, ...rest } = access;
  return {
    ...rest,
    ordersTarget: targetOf(access, 'orders'),
    inventoryTarget: targetOf(access, 'inventory'),
  };
}
