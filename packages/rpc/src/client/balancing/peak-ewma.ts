import { connectivityState, experimental } from '@grpc/grpc-js';
import { chooseReplica, initialLoad, type Load, recordCall } from './peak-ewma-score.ts';

/** The policy's name in a service config: `{ peak_ewma: {} }`. */
const peakEwmaName = 'peak_ewma';

/**
 * Registers a balancing policy that prefers replicas with low latency and few calls in flight. It keeps a connection to
 * every replica, like round_robin. Streams are balanced too, but not measured: their duration is not a latency.
 */
export function registerPeakEwma(): void {
  experimental.registerLoadBalancerType(peakEwmaName, PeakEwma, PeakEwmaConfig);
}

class PeakEwmaConfig implements experimental.TypedLoadBalancingConfig {
  static createFromJson(): PeakEwmaConfig {
    return new PeakEwmaConfig();
  }

  getLoadBalancerName() {
    return peakEwmaName;
  }

  toJsonObject() {
    return { [peakEwmaName]: {} };
  }
}

interface Replica {
  readonly leaf: experimental.LeafLoadBalancer;
  load: Load;
}

class PeakEwma implements experimental.LoadBalancer {
  readonly #helper: experimental.ChannelControlHelper;
  readonly #replicas = new Map<string, Replica>();
  #state = connectivityState.IDLE;
  #lastError = '';
  #isUpdating = false;

  constructor(helper: experimental.ChannelControlHelper) {
    this.#helper = helper;
  }

  updateAddressList(...update: Parameters<experimental.LoadBalancer['updateAddressList']>): boolean {
    const [endpoints, config, options, note] = update;
    if (!(config instanceof PeakEwmaConfig)) return false;
    if (!endpoints.ok) {
      if (this.#replicas.size === 0) this.#fail(endpoints.error.details ?? 'the name cannot be resolved');
      return true;
    }
    this.#isUpdating = true;
    const present = new Map(endpoints.value.map((each) => [experimental.endpointToString(each), each]));
    for (const [name, { leaf }] of this.#replicas) {
      if (present.has(name)) continue;
      leaf.destroy();
      this.#replicas.delete(name);
    }
    for (const [name, endpoint] of present) {
      // Replicas that stay keep their load.
      if (this.#replicas.has(name)) continue;
      const leaf = new experimental.LeafLoadBalancer(endpoint, this.#leafHelper(name), options, note);
      this.#replicas.set(name, { leaf, load: initialLoad() });
      leaf.startConnecting();
    }
    this.#isUpdating = false;
    if (present.size === 0) this.#fail(`the name has no addresses. ${note}`);
    else this.#report();
    return true;
  }

  // `#report` connects idle replicas.
  exitIdle() {}

  // The connections back off, the policy does not.
  resetBackoff() {}

  destroy() {
    for (const { leaf } of this.#replicas.values()) leaf.destroy();
    this.#replicas.clear();
  }

  getTypeName() {
    return peakEwmaName;
  }

  #leafHelper(name: string): experimental.ChannelControlHelper {
    return experimental.createChildChannelControlHelper(this.#helper, {
      updateState: (state, _picker, error) => {
        if (error) this.#lastError = error;
        const replica = this.#replicas.get(name);
        // Another process may serve the address next, so its load starts anew.
        if (replica && state !== connectivityState.READY) replica.load = initialLoad();
        // A replica has stopped, so new ones may have started. The resolver limits how often it queries DNS.
        if (this.#state === connectivityState.READY && state !== connectivityState.READY)
          this.#helper.requestReresolution();
        this.#report();
      },
    });
  }

  /** Reports the best state of any replica to the channel, like round_robin, and connects idle replicas. */
  #report() {
    if (this.#isUpdating) return;
    const inState = (state: connectivityState) =>
      [...this.#replicas.values()].filter(({ leaf }) => leaf.getConnectivityState() === state);
    const ready = inState(connectivityState.READY);
    if (ready.length > 0) this.#update(connectivityState.READY, pickerOf(ready));
    else if (inState(connectivityState.CONNECTING).length > 0)
      this.#update(connectivityState.CONNECTING, new experimental.QueuePicker(this));
    else if (inState(connectivityState.TRANSIENT_FAILURE).length > 0)
      this.#fail(`no connection established. Last error: ${this.#lastError}`);
    else this.#update(connectivityState.IDLE, new experimental.QueuePicker(this));
    for (const { leaf } of inState(connectivityState.IDLE)) leaf.exitIdle();
  }

  #fail(reason: string) {
    const details = `${peakEwmaName}: ${reason}`;
    this.#update(
      connectivityState.TRANSIENT_FAILURE,
      new experimental.UnavailablePicker({ details }),
      details,
    );
  }

  #update(state: connectivityState, picker: experimental.Picker, error: string | null = null) {
    this.#state = state;
    this.#helper.updateState(state, picker, error);
  }
}

function pickerOf(replicas: readonly Replica[]): experimental.Picker {
  const loads = replicas.map(({ load }) => load);
  const pickers = replicas.map(({ leaf }) => leaf.getPicker());
  return {
    pick: (call) => {
      const index = chooseReplica(loads, performance.now(), Math.random);
      const [load, picker] = [loads[index], pickers[index]];
      if (!load || !picker) throw new Error(`no replica ${index}`);
      const picked = picker.pick(call);
      return call.extraPickInfo.stream ? picked : measured(picked, load);
    },
  };
}

/** Returns the pick with its call counted from its start. A call that is picked but never starts is not counted. */
function measured(picked: experimental.PickResult, load: Load): experimental.PickResult {
  let startMs = 0;
  return {
    ...picked,
    onCallStarted: () => {
      load.inFlight++;
      startMs = performance.now();
      picked.onCallStarted?.();
    },
    onCallEnded: (code, details, metadata) => {
      load.inFlight--;
      const nowMs = performance.now();
      recordCall(load, code, nowMs - startMs, nowMs);
      picked.onCallEnded?.(code, details, metadata);
    },
  };
}
