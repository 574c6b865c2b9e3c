import type { Checklist } from './checklist.ts';
import { docker } from './docker.ts';
import type { Stack } from './stack.ts';

interface Fault {
  /** Share of the file's orders that are placed when the fault is injected. */
  readonly at: number;
  readonly name: string;
  readonly inject: () => Promise<void>;
}

/** Printed by the replay: how many of the file's orders are placed. */
const progressLine = /^(\d+)\/(\d+)\r?$/;

/** Low, so that orders are still placed when the last fault is injected. */
const concurrency = 4;

/** Places the orders of a file while replicas and the database are killed, and checks the databases against the file. */
export async function replayWithFaults(stack: Stack, { check }: Checklist, file: string): Promise<void> {
  const [inventory = ''] = await stack.containersOf('inventory');
  const [orders = '', otherOrders = ''] = await stack.containersOf('orders');
  const [postgres = ''] = await stack.containersOf('postgres');
  const faults: Fault[] = [
    { at: 0.1, name: 'a replica of inventory is killed', inject: () => kill(inventory) },
    { at: 0.3, name: 'a replica of orders is killed', inject: () => kill(orders) },
    { at: 0.5, name: 'PostgreSQL is restarted', inject: () => restart(postgres) },
    { at: 0.6, name: 'the killed replicas are started again', inject: () => start(inventory, orders) },
    { at: 0.8, name: 'the other replica of orders is stopped, and exits 0', inject: () => stop(otherOrders) },
  ];

  let isReplaying = true;
  let injected = Promise.resolve();
  const onLine = (line: string) => {
    const [, done, total] = progressLine.exec(line) ?? [];
    while (faults[0] && done && Number(done) / Number(total) >= faults[0].at) {
      const { name, inject } = faults.shift() as Fault;
      injected = injected.then(() =>
        check(`${name}, at ${done} orders of ${total}`, async () => {
          const inTime = isReplaying;
          await inject();
          return { good: inTime, found: inTime ? '' : 'too late: the file has too few orders' };
        }),
      );
    }
  };
  const mount = ['--volume', `${file}:/orders.ndjson:ro`];
  const replay = ['replay', '/orders.ndjson', '--concurrency', String(concurrency)];
  const { code, output } = await stack.runOnce([...mount, ...replay], { onLine });
  isReplaying = false;
  await injected;
  await check('every order was placed once, and the databases agree', async () => {
    const lines = output.split(/\r?\n/).filter((line) => line && !progressLine.test(line));
    const report = code === 0 ? lines.slice(-3) : lines;
    return { good: code === 0 && faults.length === 0, found: report.join('; ') };
  });
  await check('the whole stack recovers', async () => {
    const startMs = performance.now();
    await start(otherOrders);
    await stack.untilReady();
    return { good: true, found: `ready in ${((performance.now() - startMs) / 1000).toFixed(1)} s` };
  });
}

async function kill(id: string): Promise<void> {
  await docker('kill', id);
}

async function start(...ids: string[]): Promise<void> {
  await docker('start', ...ids);
}

async function restart(id: string): Promise<void> {
  await docker('restart', '--time', '60', id);
}

async function stop(id: string): Promise<void> {
  await docker('stop', '--time', '20', id);
  const exitCode = await docker('inspect', '--format', '{{.State.ExitCode}}', id);
  if (exitCode !== '0') throw new Error(`it exited ${exitCode}`);
}
