import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js';
import { ejectionAfter, onTrial, type ReplicaHealth, unknownHealth } from './outliers.ts';
import { type Replica, ReplicaSubchannel } from './replica-subchannel.ts';
import { createSpareConnections } from './spare-connections.ts';
import { takeStreamMarker } from './stream-marker.ts';

/** The policy's name in a service config: `{ outlier_ejection: { childPolicy: [{ round_robin: {} }] } }`. */
export const outlierEjectionName = 'outlier_ejection';

/** A channel option that only tells the spare connections to a replica apart: grpc-js shares those of equal options. */
const spareNumberOption = 'acme.spare_connection';

/** The pick of a call that waits until one of its replica's connections is ready. */
const waiting: experimental.PickResult = {
  pickResultType: experimental.PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
};

/**
 * A balancing policy around another: replicas that fail call after call are hidden from it for a while (the idea of
 * gRFC A50). grpc-js's own outlier_detection takes every status but OK for a failure, and counts nothing on a channel
 * whose connections were there before it.
 */
export function registerOutlierEjection(): void {
  experimental.registerLoadBalancerType(outlierEjectionName, OutlierEjection, OutlierEjectionConfig);
}

class OutlierEjectionConfig implements experimental.TypedLoadBalancingConfig {
  readonly childPolicy: experimental.TypedLoadBalancingConfig;

  constructor(childPolicy: experimental.TypedLoadBalancingConfig) {
    this.childPolicy = childPolicy;
  }

  static createFromJson({ childPolicy }: { childPolicy?: unknown }): OutlierEjectionConfig {
    const child = Array.isArray(childPolicy) ? experimental.selectLbConfigFromList(childPolicy) : null;
    if (!child) throw new Error('childPolicy names no known policy');
    return new OutlierEjectionConfig(child);
  }

  getLoadBalancerName() {
    return outlierEjectionName;
  }

  toJsonObject() {
    return { [outlierEjectionName]: { childPolicy: [this.childPolicy.toJsonObject()] } };
  }
}

class OutlierEjection implements experimental.LoadBalancer {
  readonly #replicas = new Map<string, Replica>();
  readonly #child: experimental.ChildLoadBalancerHandler;
  /** What the child policy has last said. */
  #state = connectivityState.IDLE;
  /** Has the calls that wait for a connection choose again. */
  #pickAgain = () => {};

  constructor(helper: experimental.ChannelControlHelper) {
    const childHelper = experimental.createChildChannelControlHelper(helper, {
      createSubchannel: (address, options) => {
        const shared = withoutServiceConfig(options);
        const open = (number: number) =>
          helper.createSubchannel(address, { ...shared, [spareNumberOption]: number });
        const replica = this.#replicaAt(experimental.subchannelAddressToString(address), open);
        return new ReplicaSubchannel(helper.createSubchannel(address, shared), replica);
      },
      updateState: (state, picker, error) => {
        this.#state = state;
        // Nobody else is left: an ejected replica is better than none. If one can serve, the channel hears of it here.
        if (state === connectivityState.TRANSIENT_FAILURE) this.#readmitAll();
        if (this.#state !== state) return;
        const isReady = state === connectivityState.READY;
        const ownPicker = isReady ? this.#watching(picker) : picker;
        this.#pickAgain = () => helper.updateState(state, ownPicker, error);
        this.#pickAgain();
      },
    });
    this.#child = new experimental.ChildLoadBalancerHandler(childHelper);
  }

  updateAddressList(...update: Parameters<experimental.LoadBalancer['updateAddressList']>): boolean {
    const [endpoints, config, options, note] = update;
    if (!(config instanceof OutlierEjectionConfig)) return false;
    if (endpoints.ok) {
      const present = new Set(
        endpoints.value.flatMap(({ addresses }) => addresses.map(experimental.subchannelAddressToString)),
      );
      for (const address of this.#replicas.keys()) if (!present.has(address)) this.#forget(address);
    }
    return this.#child.updateAddressList(endpoints, config.childPolicy, options, note);
  }

  exitIdle() {
    this.#child.exitIdle();
  }

  resetBackoff() {
    this.#child.resetBackoff();
  }

  destroy() {
    for (const address of this.#replicas.keys()) this.#forget(address);
    this.#child.destroy();
  }

  getTypeName() {
    return outlierEjectionName;
  }

  #replicaAt(address: string, open: (number: number) => experimental.SubchannelInterface): Replica {
    const known = this.#replicas.get(address);
    if (known) return known;
    const replica: Replica = {
      health: unknownHealth(),
      subchannels: new Set(),
      // Whoever answers there now may be another process: the faults of the last one are no prejudice.
      onConnected: () => this.#readmit(replica, unknownHealth()),
      spares: createSpareConnections({ open, onChange: () => this.#pickAgain() }),
      returnTimer: undefined,
    };
    this.#replicas.set(address, replica);
    return replica;
  }

  #forget(address: string) {
    const replica = this.#replicas.get(address);
    clearTimeout(replica?.returnTimer);
    replica?.spares.close();
    this.#replicas.delete(address);
  }

  /** The child's picker, its calls watched to their end. */
  #watching(picker: experimental.Picker): experimental.Picker {
    return {
      pick: (call) => {
        const isStream = takeStreamMarker(call.metadata);
        const extraPickInfo = isStream ? { ...call.extraPickInfo, stream: '1' } : call.extraPickInfo;
        const picked = picker.pick({ ...call, extraPickInfo });
        if (!(picked.subchannel instanceof ReplicaSubchannel)) return picked;
        const { replica, counted } = picked.subchannel;
        const subchannel = replica.spares.choose(counted);
        if (!subchannel) return waiting;
        subchannel.countPick();
        return {
          ...picked,
          subchannel,
          onCallEnded: (code, details, metadata) => {
            picked.onCallEnded?.(code, details, metadata);
            const health = [...this.#replicas.values()].map((each) => each.health);
            const ejectionMs = ejectionAfter(replica.health, code, isStream, health);
            if (ejectionMs > 0) this.#eject(replica, ejectionMs);
          },
        };
      },
    };
  }

  #eject(replica: Replica, ejectionMs: number) {
    for (const subchannel of replica.subchannels) subchannel.followHealth();
    const readmit = () => this.#readmit(replica, onTrial(replica.health));
    replica.returnTimer = setTimeout(readmit, ejectionMs).unref();
  }

  #readmit(replica: Replica, health: ReplicaHealth) {
    clearTimeout(replica.returnTimer);
    Object.assign(replica.health, health);
    for (const subchannel of replica.subchannels) subchannel.followHealth();
  }

  #readmitAll() {
    for (const replica of this.#replicas.values())
      if (replica.health.isEjected) this.#readmit(replica, onTrial(replica.health));
  }
}

/**
 * grpc-js shares a connection among the channels of a target whose options are all the same. The service config is
 * the channel's own business: without it, all clients of a target use the same connections, whatever their service.
 */
function withoutServiceConfig({
  'grpc.service_config': _config,
  ...options
}: ChannelOptions): ChannelOptions {
  return options;
}
