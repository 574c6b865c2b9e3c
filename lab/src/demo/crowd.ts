import { setTimeout as sleep } from 'node:timers/promises';
import { type Customers, untilDefinite } from '../harness/customer.ts';
import { toldBy, type Wish } from '../harness/history.ts';
import type { Random } from '../harness/seeded-random.ts';
import { anyUnits } from './items.ts';
import { type Night, rateAt } from './night.ts';
import type { Visit } from './visit.ts';

/** Customers who come when the night brings them, whether those before them have been served or not. */
export interface Crowd extends AsyncDisposable {
  /** Those who have had an answer, in its order. */
  readonly visits: readonly Visit[];
  /**
   * Once the night is over: lets everybody finish; those who get no definite answer give up after the time. Throws what
   * was nobody's answer.
   */
  finish(options: { giveUpAfterMs: number }): Promise<void>;
}

export interface CrowdOptions {
  readonly customers: Customers;
  readonly customerIds: readonly string[];
  readonly random: Random;
  readonly night: Night;
  /** When it began. */
  readonly startMs: number;
}

/** Whoever finds so many being served waits outside, and the wait counts. */
const mostAtATime = 500;
/** Shares of the customers: who press the button twice, whose line breaks, who change their mind. */
const impatient = 0.05;
const cutOff = 0.02;
const fickle = 0.03;
const longestCutMs = 10;

export function startCrowd({ customers, customerIds, random, night, startMs }: CrowdOptions): Crowd {
  const left = new AbortController();
  const patience = { giveUp: false };
  const visits: Visit[] = [];
  const served = new Set<Promise<void>>();
  const failures: unknown[] = [];

  const place = async (wish: Wish, arrivedMs: number) => {
    const wasCutOff = random.chance(cutOff);
    let sent = 0;
    const outcome = await untilDefinite(random, patience, () => {
      const isCut = wasCutOff && sent++ === 0;
      return customers.place(wish, isCut ? { signal: AbortSignal.timeout(random.int(1, longestCutMs)) } : {});
    });
    visits.push({ arrivedMs, answeredMs: performance.now(), outcome, wasCutOff });
    return toldBy(outcome);
  };
  const visit = async (arrivedMs: number) => {
    const wish = {
      customerId: random.pick(customerIds),
      requestId: random.uuid(),
      units: anyUnits(random),
    };
    const placing = place(wish, arrivedMs);
    if (random.chance(impatient)) await untilDefinite(random, patience, () => customers.place(wish));
    const placed = await placing;
    if (placed && random.chance(fickle))
      await untilDefinite(random, patience, () => customers.cancel(wish, placed.orderId));
  };
  const arrive = async () => {
    const endMs = startMs + night.seconds * 1000;
    let dueMs = startMs;
    while (!left.signal.aborted) {
      // They know nothing of each other: the times between them are exponential.
      dueMs += (-Math.log(1 - random.next()) * 1000) / rateAt(night, (dueMs - startMs) / 1000);
      if (Math.max(dueMs, performance.now()) > endMs) return;
      const waitMs = dueMs - performance.now();
      if (waitMs >= 1) await sleep(waitMs, undefined, { signal: left.signal });
      if (served.size >= mostAtATime) await Promise.race(served);
      const visiting = visit(dueMs)
        .catch((error) => void failures.push(error))
        .finally(() => served.delete(visiting));
      served.add(visiting);
    }
  };
  const arriving = arrive().catch((error) => void failures.push(error));
  const finish: Crowd['finish'] = async ({ giveUpAfterMs }) => {
    const timer = setTimeout(() => {
      patience.giveUp = true;
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
      left.abort();
      await finish({ giveUpAfterMs: 0 }).catch(() => {});
    },
  };
}
