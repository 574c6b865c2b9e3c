import type { Order } from '@acme/orders/order/order';
import { type Random, seededRandom } from '../harness/seeded-random.ts';
import { settledErrors, stockErrors } from './cell-errors.ts';
import { createNetwork, type Process } from './network.ts';
import { createOrdersProcess } from './orders-process.ts';
import { type Parts, soundParts } from './parts.ts';
import { startTraffic } from './traffic.ts';
import { startVirtualTime, type VirtualTime } from './virtual-time.ts';

/** Counts of a run. They show that it was not idle. */
export interface Counts {
  readonly orders: number;
  readonly confirmed: number;
  /** Number of CONFIRMED orders with stock in several cells. */
  readonly spread: number;
  readonly rejected: number;
  readonly cancelled: number;
  /** Number of crashes of processes. */
  readonly crashes: number;
  /** Number of messages that were lost or duplicated. */
  readonly disturbed: number;
}

export interface RunOutcome {
  readonly counts: Counts;
  /** Violations of the invariants, a line each. */
  readonly errors: readonly string[];
}

const ordersCellCount = 2;
const replicasPerOrdersCell = 2;
const stockCellCount = 3;
const skusPerStockCell = 2;
/** Processes crash, and messages are lost, duplicated and delayed, until then. */
const faultsMs = 9000;
/** Interval of the settler. */
const pollMs = 500;
/** All orders must be settled by then: three of the longest backoffs take less than 30 s. */
const settledByMs = faultsMs + 30_000;

/** Runs the cells until all orders are settled. The seed determines every event of the run. */
export async function simulate(seed: string, parts: Parts = soundParts): Promise<RunOutcome> {
  const random = seededRandom(seed);
  const time = startVirtualTime();
  const network = createNetwork(time, random.fork('network'));
  const stockCells = Array.from({ length: stockCellCount }, (_, cell) => ({
    process: startProcess(time, random),
    data: parts.openStockData(stockOf(cell, random)),
  }));
  const newId = random.fork('ids').uuid;
  const ordersCells = Array.from({ length: ordersCellCount }, () => {
    const data = parts.openOrdersData(time.nowMs, random.fork('backoff'));
    const replicas = Array.from({ length: replicasPerOrdersCell }, () =>
      createOrdersProcess({
        parts,
        time,
        network,
        process: startProcess(time, random),
        data,
        stockCells,
        newId,
      }),
    );
    return { data, replicas };
  });
  const replicas = ordersCells.flatMap((cell) => cell.replicas);
  for (const { settleDue } of replicas) repeat(time, pollMs, settleDue);
  const acknowledged: Order[] = [];
  const routing = random.fork('routing');
  startTraffic({
    time,
    network,
    random: random.fork('traffic'),
    skus: stockCells.flatMap(({ data }) => [...data.stock.keys()]),
    replicaFor: (customerId) => {
      const cell = ordersCells[parts.cellOf(customerId, ordersCellCount, routing)];
      return routing.pick(cell?.replicas ?? replicas);
    },
    onAcknowledged: (order) => acknowledged.push(order),
  });
  time.after(faultsMs, network.endFaults);

  const stock = stockCells.map(({ data }) => data);
  const orders = ordersCells.map(({ data }) => data);
  const areSettled = () =>
    orders.every((cell) => [...cell.orders.values()].every(({ dueMs }) => dueMs === undefined));
  let errors: string[] = [];
  await time.run(() => {
    errors = stockErrors(stock);
    const isQuiet = time.nowMs() >= faultsMs && network.inTransit() === 0 && areSettled();
    return errors.length > 0 || isQuiet || time.nowMs() > settledByMs;
  });
  if (errors.length === 0) errors = settledErrors(orders, stock, acknowledged);
  const processes = [...stockCells, ...replicas].map(({ process }) => process);
  return {
    errors,
    counts: {
      ...countOrders(
        orders.flatMap((cell) => [...cell.orders.values()].map(({ order }) => order)),
        (sku) => stock.findIndex((cell) => cell.stock.has(sku)),
      ),
      crashes: processes.reduce((sum, { crashes }) => sum + crashes, 0),
      disturbed: network.disturbed(),
    },
  };
}

/** Returns the units on hand of the cell's SKUs: so few that many orders are refused. */
function stockOf(cell: number, random: Random): Record<string, number> {
  const skus = Array.from({ length: skusPerStockCell }, (_, index) => `sku-${cell}${index}`);
  return Object.fromEntries(skus.map((sku) => [sku, random.int(2, 12)]));
}

/** Starts a process that crashes up to three times, and is up again after at most two seconds. */
function startProcess(time: VirtualTime, random: Random): Process {
  const process: Process = { isUp: true, crashes: 0 };
  const crashes = random.int(0, 3);
  for (let crash = 0; crash < crashes; crash++)
    time.after(random.int(0, faultsMs), () => {
      if (!process.isUp) return;
      process.isUp = false;
      process.crashes++;
      time.after(random.int(50, 2000), () => {
        process.isUp = true;
      });
    });
  return process;
}

function repeat(time: VirtualTime, everyMs: number, work: () => void): void {
  time.after(everyMs, () => {
    work();
    repeat(time, everyMs, work);
  });
}

function countOrders(orders: readonly Order[], cellOf: (sku: string) => number) {
  const inState = (state: Order['state']) => orders.filter((order) => order.state === state);
  const confirmed = inState('CONFIRMED');
  return {
    orders: orders.length,
    confirmed: confirmed.length,
    spread: confirmed.filter(({ lines }) => new Set(lines.map(({ sku }) => cellOf(sku))).size > 1).length,
    rejected: inState('REJECTED').length,
    cancelled: inState('CANCELLED').length,
  };
}
