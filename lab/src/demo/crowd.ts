import { type Customers, untilDefinite } from '../harness/customers.ts';
import { acknowledgedBy, type Purchase } from '../harness/history.ts';
import type { Random } from '../harness/seeded-random.ts';
import type { Visit } from './visit.ts';

/** Customers that arrive whether or not earlier ones have been served (an open loop). */
export interface Crowd extends AsyncDisposable {
  /** Number of customers that have arrived and are not yet done. */
  readonly waiting: number;
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
  /** Yields the time of each arrival, by `performance.now()`, when it has come. Ends soon after the signal. */
  readonly arrivals: (signal: AbortSignal) => AsyncIterable<number>;
  /** Returns the units of an order. */
  readonly unitsOf: (random: Random) => Purchase['units'];
  /** Called when a customer's outcome is known. */
  readonly onVisit: (visit: Visit) => void;
}

/** Number of concurrent customers. Others wait, and the wait counts as theirs. */
const maxConcurrent = 500;
/** Shares of the customers that press the button twice, lose their connection, or cancel their order. */
const doubleShare = 0.05;
const cutOffShare = 0.02;
const cancelShare = 0.03;
const maxCutOffMs = 10;

export function startCrowd(options: CrowdOptions): Crowd {
  const { customers, customerIds, random } = options;
  const ended = new AbortController();
  const retries = { giveUp: false };
  const served = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
  };

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
    options.onVisit({ arrivedMs, answeredMs: performance.now(), outcome, wasCutOff });
    return acknowledgedBy(outcome);
  };
  const visit = async (arrivedMs: number) => {
    const purchase = {
      customerId: random.pick(customerIds),
      requestId: random.uuid(),
      units: options.unitsOf(random),
    };
    const placing = place(purchase, arrivedMs);
    if (random.chance(doubleShare)) await untilDefinite(random, retries, () => customers.place(purchase));
    const placed = await placing;
    if (placed && random.chance(cancelShare))
      await untilDefinite(random, retries, () => customers.cancel(purchase, placed.orderId));
  };
  const arrive = async () => {
    for await (const dueMs of options.arrivals(ended.signal)) {
      if (served.size >= maxConcurrent) await Promise.race(served);
      const visiting = visit(dueMs)
        .catch(fail)
        .finally(() => served.delete(visiting));
      served.add(visiting);
    }
  };
  const arriving = arrive().catch(fail);
  const finish: Crowd['finish'] = async ({ giveUpAfterMs }) => {
    const timer = setTimeout(() => {
      retries.giveUp = true;
    }, giveUpAfterMs);
    await arriving;
    await Promise.all(served);
    clearTimeout(timer);
    if (failure) throw failure.error;
  };
  return {
    get waiting() {
      return served.size;
    },
    finish,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await finish({ giveUpAfterMs: 0 }).catch(() => {});
    },
  };
}
