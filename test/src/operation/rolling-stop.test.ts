import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client';
import { expect, test } from 'vitest';
import { makeServiceEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

/** More calls than grpc-js queues while one of the two replicas is connecting. */
const minCallsAfterStop = 200;
const callers = 8;

test('no call fails while one of two replicas is stopped under load, and it exits with 0', async () => {
  await using environment = await makeServiceEnvironment();
  await using staying = startServiceProcess('inventory', environment.variables);
  await using stopping = startServiceProcess('inventory', environment.variables);
  const [one, other] = await Promise.all([staying.target, stopping.target]);
  const token = await environment.keys.sign({ scope: 'inventory:read' });
  using inventory = createClient(InventoryService, { target: `ipv4:${one},${other}`, token: () => token });

  let isStopped = false;
  let callsAfterStop = 0;
  const call = async () => {
    while (callsAfterStop < minCallsAfterStop) {
      await inventory.listStock({});
      if (isStopped) callsAfterStop += 1;
    }
  };
  const calls = Promise.all(Array.from({ length: callers }, call));
  const linesOf = (text: string) => text.split('\n').filter((line) => line.includes('"msg":"call"')).length;
  await expect.poll(() => linesOf(stopping.stdout())).toBeGreaterThan(100);
  stopping.signal('SIGTERM');
  expect(await stopping.ended).toBe(0);
  isStopped = true;
  await calls;
  expect(callsAfterStop).toBeGreaterThanOrEqual(minCallsAfterStop);
  expect(stopping.stderr()).toBe('');
});
