import { connectivityState, experimental } from '@grpc/grpc-js';
import { Code } from '../../errors/rpc-error.ts';
import {
  isReset,
  observeSubchannel,
  type RealSubchannel,
} from '../../grpc-js/internals/observed-subchannel.ts';
import { getOrInsert } from '../../node-24/get-or-insert.ts';
import { countReset, type ResetBudget, unusedBudget } from './reset-budget.ts';

/** By connection: the clients of a target share connections. */
const budgets = new WeakMap<RealSubchannel, ResetBudget>();

/** A replica's connection that counts its calls and their resets. */
export class CountedSubchannel extends experimental.BaseSubchannelWrapper {
  readonly budget: ResetBudget;
  readonly #real: RealSubchannel;

  /** @param maxResponseBytes is the limit of the client. The clients of a target may have different ones. */
  constructor(subchannel: experimental.SubchannelInterface, maxResponseBytes: number) {
    super(subchannel);
    const real = subchannel.getRealSubchannel();
    const budget = getOrInsert(budgets, real, budgetOf);
    this.budget = budget;
    this.#real = observeSubchannel(real, {
      maxResponseBytes,
      onCall: () => {
        budget.calls++;
      },
      onCallEnded: (ended, isLost) => {
        budget.calls--;
        if (isReset(ended)) countReset(budget, performance.now());
        // grpc-js reports INTERNAL, even for a connection that has reached its maximum age or on which other calls
        // have exceeded the server's limits. UNAVAILABLE is retried where the contract permits it.
        return isLost ? Code.UNAVAILABLE : undefined;
      },
    });
  }

  override getRealSubchannel(): RealSubchannel {
    return this.#real;
  }

  /** Counts a call from its pick. grpc-js makes the call one microtask later, when it may have picked many others. */
  countPick(): void {
    this.budget.calls++;
    queueMicrotask(this.#discountPick);
  }

  readonly #discountPick = () => {
    this.budget.calls--;
  };
}

function budgetOf(real: RealSubchannel): ResetBudget {
  const budget = unusedBudget();
  real.addConnectivityStateListener((_subchannel, _previous, state) => {
    // A new connection.
    if (state === connectivityState.READY) budget.resets = 0;
  });
  return budget;
}
