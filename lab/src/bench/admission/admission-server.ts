import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createLogger } from '@acme/rpc/logging';
import { createAdmission, serve, serverChain, startServer } from '@acme/rpc/server';
import { quantile } from '../../harness/quantile.ts';
import { getStockOnly } from '../load/get-stock-only.ts';

/**
 * The server process of the admission benchmark: `node admission-server.ts CPU_MS WAIT_MS on|off`. Its handler uses the
 * CPU, waits, and uses the CPU again. It sends the parent its port, and its figures on request.
 */
const [cpuMs = 0, waitMs = 0] = process.argv.slice(2, 4).map(Number);
const unlimited = { minLimit: 1e9, initialLimit: 1e9, maxLimit: 1e9 };
const admission = createAdmission(process.argv[4] === 'on' ? {} : unlimited);
/** Planned CPU time, and the elapsed time it took: longer if other processes had the processor. */
const worked = { plannedMs: 0, byTheClockMs: 0 };
const roundsPerMs = calibrate();

const server = await startServer({
  address: '127.0.0.1:0',
  services: [
    serve(
      InventoryService,
      getStockOnly(async ({ sku }) => {
        work(cpuMs / 2);
        await sleep(waitMs);
        work(cpuMs / 2);
        return { stock: { sku } };
      }),
    ),
  ],
  chain: (openStreams) =>
    serverChain({
      openStreams,
      errorMap: () => undefined,
      deadlineMode: 'default',
      tokens: {
        cached: () => undefined,
        verify: async () => ({ subject: 'bench', scopes: new Set(['inventory:read']) }),
      },
      admission,
    }),
  log: createLogger({ service: 'bench', level: 'info' }),
  reflection: false,
});
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.({ limit: admission.snapshot().limit, worked }));
process.send?.({ port: server.port });

/** Does work that takes `ms` on an idle machine. Measuring work, not time, makes busy machines comparable. */
function work(ms: number): void {
  worked.plannedMs += ms;
  worked.byTheClockMs += spinMs(ms * roundsPerMs);
}

/** Does this many rounds of work. Returns the elapsed time in ms. */
function spinMs(rounds: number): number {
  const startMs = performance.now();
  let sum = 0;
  for (let round = rounds; round > 0; round--) sum = (sum * 31 + round) | 0;
  if (!Number.isSafeInteger(sum))
    throw new Error('unreachable: uses the sum, so that the loop is not optimised away');
  return performance.now() - startMs;
}

function calibrate(): number {
  const rounds = 500_000;
  const times = Array.from({ length: 500 }, () => spinMs(rounds));
  return rounds / (quantile(times, 0.1) ?? Number.NaN);
}
