import { randomUUID } from 'node:crypto';
import { skuOf } from '@acme/inventory/development/catalogue';
import { arrivals } from '@acme/lab/demo/arrivals';
import { startCrowd } from '@acme/lab/demo/crowd';
import { randomUnits } from '@acme/lab/demo/items';
import { openCustomers } from '@acme/lab/harness/customers';
import { acknowledgementsOf } from '@acme/lab/harness/history';
import type { Acknowledgement } from '@acme/lab/harness/invariants';
import { seededRandom } from '@acme/lab/harness/seeded-random';
import type { PairAccess } from '@acme/lab/pair/pair';
import { cachedToken } from '@acme/rpc/client';
import type { Load, LoadRequest } from '../../api.ts';
import { expiryOf } from '../session/token-expiry.ts';
import { loadCustomers } from '../session/watched-customers.ts';
import { createAnswerTimes } from './answer-times.ts';
import { openWarehouse } from './warehouse.ts';

/** Customers that place orders at the rate of the page's slider. */
export interface LoadMaker extends AsyncDisposable {
  readonly load: Load;
  /** Sets what is given. The rate is at most `maxPerSecond`. */
  set(request: LoadRequest): void;
}

export const maxPerSecond = 300;
const hotSku = skuOf(42);
/** Customers that have waited for so long at the door leave, so that an outage is not followed by all who missed it. */
const maxLateMs = 1000;

/** Load before the services run. */
export const noLoad: Load = {
  wantedPerSecond: 0,
  maxPerSecond,
  placedPerSecond: 0,
  waiting: 0,
  p50Ms: null,
  p99Ms: null,
  hotItem: false,
  hotSku,
};

/** @param onAcknowledged Called for each order that is acknowledged to a customer. */
export function startLoad(access: PairAccess, onAcknowledged: (order: Acknowledgement) => void): LoadMaker {
  const opened = new AsyncDisposableStack();
  const times = createAnswerTimes();
  let perSecond = 0;
  let isHot = false;
  const scopes = ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'];
  const customers = opened.use(
    openCustomers({
      target: access.ordersTarget,
      credentials: access.credentials,
      token: cachedToken(async () => {
        const token = await access.token('shop', scopes);
        return { token, expiresAtMs: expiryOf(token) };
      }),
      onCall: (call) => acknowledgementsOf([call]).forEach(onAcknowledged),
    }),
  );
  opened.use(openWarehouse(access, () => perSecond > 0));
  const random = seededRandom(randomUUID());
  const arriving = {
    random: random.fork('arrivals'),
    rateAt: () => perSecond,
    startMs: performance.now(),
    maxLateMs,
  };
  const crowd = opened.use(
    startCrowd({
      customers,
      customerIds: loadCustomers,
      random: random.fork('crowd'),
      arrivals: (signal) => arrivals(arriving, signal),
      unitsOf: (customer) => ({ ...randomUnits(customer), ...(isHot && { [hotSku]: 1 }) }),
      onVisit: ({ arrivedMs, answeredMs }) => times.add(answeredMs, answeredMs - arrivedMs),
    }),
  );
  return {
    get load() {
      return {
        ...noLoad,
        wantedPerSecond: perSecond,
        placedPerSecond: times.perSecond(),
        waiting: crowd.waiting,
        p50Ms: times.quantileMs(0.5),
        p99Ms: times.quantileMs(0.99),
        hotItem: isHot,
      };
    },
    set: ({ perSecond: wanted = perSecond, hotItem = isHot }) => {
      perSecond = wanted;
      isHot = hotItem;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
