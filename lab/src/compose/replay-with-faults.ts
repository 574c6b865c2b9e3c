import type { Checklist } from './checklist.ts';
import { docker } from './docker.ts';
import type { Stack } from './stack.ts';

interface Fault {
  /** When so much of the file is placed. */
  readonly at: number;
  readonly what: string;
  readonly happen: () => Promise<void>;
}

/** Few callers, so that the file lasts until the last fault. */
const concurrency = 4;

/** Places a file's orders while replicas and the database die, and holds the books to the file. */
export async function replayWithFaults(stack: Stack, { check }: Checklist, file: string): Promise<void> {
  const [inventory = ''] = await stack.containersOf('inventory');
  const [orders = '', otherOrders = ''] = await stack.containersOf('orders');
  const [postgres = ''] = await stack.containersOf('postgres');
  const faults: Fault[] = [
    { at: 0.1, what: 'a replica of inventory is killed', happen: () => kill(inventory) },
    { at: 0.3, what: 'a replica of orders is killed', happen: () => kill(orders) },
    { at: 0.5, what: 'PostgreSQL is restarted', happen: () => restart(postgres) },
    { at: 0.6, what: 'the killed replicas are started again', happen: () => start(inventory, orders) },
    { at: 0.8, what: 'the other replica of orders is stopped, and exits 0', happen: () => stop(otherOrders) },
  ];

  let isReplaying = true;
  let happening = Promise.resolve();
  const onLine = (line: string) => {
    const [, done, total] = /^(\d+)\/(\d+)\r?$/.exec(line) ?? [];
    while (faults[0] && done && Number(done) / Number(total) >= faults[0].at) {
      const { what, happen } = faults.shift() as Fault;
      happening = happening.then(() =>
        check(`${what}, at ${done} orders of ${total}`, async () => {
          const inTime = isReplaying;
          await happen();
          return { good: inTime, found: inTime ? '' : 'too late, give it a longer file' };
        }),
      );
    }
  };
  const mount = ['--volume', `${file}:/orders.ndjson:ro`];
  const replay = ['replay', '/orders.ndjson', '--concurrency', String(concurrency)];
  const { code, output } = await stack.runOnce([...mount, ...replay], { onLine });
  isReplaying = false;
  await happening;
  await check('every order was placed once, and the books are right', async () => {
    const told = output.split('\n').filter((line) => /confirmed|units|databases/.test(line));
    return {
      good: code === 0 && faults.length === 0 && output.includes('the databases agree'),
      found: (told.length > 0 ? told : [output]).map((line) => line.trim()).join('; '),
    };
  });
  await check('all of it comes back', async () => {
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
