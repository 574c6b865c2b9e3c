import { setTimeout as sleep } from 'node:timers/promises';
import { type Customers, untilDefinite } from '../harness/customers.ts';
import { acknowledgedBy, type Purchase } from '../harness/history.ts';
import type { Random } from '../harness/seeded-random.ts';
import { randomUnits } from './items.ts';
import { type Night, rateAt } from './night.ts';
import type { Visit } from './visit.ts';

/** Customers that arrive at the rate of the night, whether or not earlier ones have been served (an open loop). */
export interface Crowd extends AsyncDisposable {
  /** Visits with a known outcome, in the order in which it became known. */
  readonly visits: readonly Visit[];
  /**
   * Waits for the customers that have arrived. Those without a definite outcome give up after this time.
   *
   * @throws The first error that is not an outcome of a call.
   */
  finish(options: { giveUpAfterMs: number }): Promise<void>;
}

export interface CrowdOptions {
  readonly customers: Customers;
  readonly customerIds: readonly string[];
  readonly random: Random;
  readonly night: Night;
  /** Start of the night, by `performance.now()`. */
  readonly startMs: number;
}

/** Number of concurrent customers. Others wait, and the wait counts as theirs. */
const maxConcurrent = 500;
/** Shares of the customers that press the button twice, lose their connection, or cancel their order. */
const doubleShare = 0.05;
const cutOffShare = 0.02;
const cancelShare = 0.03;
const maxCutOffMs = 10;

export function startCrowd({ customers, customerIds, random, night, startMs }: CrowdOptions): Crowd {
  const ended = new AbortController();
  const retries = { giveUp: false };
  const visits: Visit[] = [];
  const served = new Set<Promise<void>>();
  const failures: unknown[] = [];

  const place = async (purchase: Purchase, arrivedMs: number) => {
    const wasCutOff = random.chance(cutOffShare);
    let sent = 0;
    const outcome = await untilDefinite(random, retries, () => {
      const isCut = wasCutOff && sent++ === 0;
      return customers.place(
        purchase,
        isCut ? { signal: AbortSignal.timeout(random.int(1, maxCutOffMs)) } : {},
      );
    });
    visits.push({ arrivedMs, answeredMs: performance.now(), outcome, wasCutOff });
    return acknowledgedBy(outcome);
  };
  const visit = async (arrivedMs: number) => {
    const purchase = {
      customerId: random.pick(customerIds),
      requestId: random.uuid(),
      units: randomUnits(random),
    };
    const placing = place(purchase, arrivedMs);
    if (random.chance(doubleShare)) await untilDefinite(random, retries, () => customers.place(purchase));
    const placed = await placing;
    if (placed && random.chance(cancelShare))
      await untilDefinite(random, retries, () => customers.cancel(purchase, placed.orderId));
  };
  const arrive = async () => {
    const endMs = startMs + night.seconds * 1000;
    let dueMs = startMs;
    while (!ended.signal.aborted) {
      // Customers arrive independently of each other (a Poisson process): exponential times between them.
      dueMs += (-Math.log(1 - random.next()) * 1000) / rateAt(night, (dueMs - startMs) / 1000);
      if (Math.max(dueMs, performance.now()) > endMs) return;
      const waitMs = dueMs - performance.now();
      if (waitMs >= 1) await sleep(waitMs, undefined, { signal: ended.signal });
      if (served.size >= maxConcurrent) await Promise.race(served);
      const visiting = visit(dueMs)
        .catch((error) => void failures.push(error))
        .finally(() => served.delete(visiting));
      served.add(visiting);
    }
  };
  const arriving = arrive().catch((error) => void failures.push(error));
  const finish: Crowd['finish'] = async ({ giveUpAfterMs }) => {
    const timer = setTimeout(() => {
      retries.giveUp = true;
    }, giveUpAfterMs);
    await arriving;
    await Promise.all(served);
    clearTimeout(timer);
    if (failures.length > 0) throw failures[0];
  };
  return {
    visits,
    finish,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await finish({ giveUpAfterMs: 0 }).catch(() => {});
    },
  };
}
