import { connectivityState, experimental } from '@grpc/grpc-js';
import { Code } from '../../errors/rpc-error.ts';
import { noteReset, type ResetBudget, unusedBudget } from './reset-budget.ts';

/**
 * The part of grpc-js that makes a call on a connection. It is not in its documented interface: no other place sees on
 * which connection a call was made, nor whether it ended without a status.
 */
type RealSubchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;
type CreateCall = RealSubchannel['createCall'];
type CallStatus = Parameters<Parameters<CreateCall>[3]['onReceiveStatus']>[0];

/** By connection: the clients of a target share them. */
const budgets = new WeakMap<RealSubchannel, ResetBudget>();

/** A replica's connection that counts its calls and their resets. */
export class CountedSubchannel extends experimental.BaseSubchannelWrapper {
  readonly budget: ResetBudget;
  readonly #real: RealSubchannel;

  constructor(subchannel: experimental.SubchannelInterface) {
    super(subchannel);
    const real = subchannel.getRealSubchannel();
    this.budget = budgets.getOrInsertComputed(real, budgetOf);
    this.#real = Object.create(real, { createCall: { value: countingCalls(real, this.budget) } });
  }

  override getRealSubchannel(): RealSubchannel {
    return this.#real;
  }

  /** Counts a call from its pick: grpc-js makes it one microtask later, when many have been picked. */
  notePick(): void {
    this.budget.calls++;
    queueMicrotask(this.#forgetPick);
  }

  readonly #forgetPick = () => {
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

function countingCalls(real: RealSubchannel, budget: ResetBudget): CreateCall {
  return (metadata, host, method, listener, callId) => {
    const onReceiveStatus = (status: CallStatus) => {
      budget.calls--;
      if (isReset(status)) noteReset(budget, performance.now());
      listener.onReceiveStatus(withoutBlame(status));
    };
    const { onReceiveMetadata, onReceiveMessage } = listener;
    const ownListener = { onReceiveMetadata, onReceiveMessage, onReceiveStatus };
    const call = real.createCall(metadata, host, method, ownListener, callId);
    budget.calls++;
    return call;
  };
}

/** Whether the client has ended the call by a reset. A status of the server's has nearly always some metadata. */
function isReset({ code, rstCode, metadata }: CallStatus): boolean {
  return code !== Code.OK && rstCode === undefined && Object.keys(metadata.getMap()).length === 0;
}

/**
 * Makes the end of a stream without a status UNAVAILABLE, so that grpc-js repeats the call where the contract permits it.
 * grpc-js calls it INTERNAL, also when a connection has reached its maximum age, or when other calls on it have exceeded
 * the server's limits.
 */
function withoutBlame(status: CallStatus): CallStatus {
  if (status.code !== Code.INTERNAL || status.rstCode === undefined) return status;
  return { ...status, code: Code.UNAVAILABLE };
}
